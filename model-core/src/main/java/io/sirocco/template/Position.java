package io.sirocco.template;

/** A place in a template's source; both count from 1. */
record Position(int line, int column) {
  @Override
  public String toString() {
    return "line " + line + ", column " + column;
  }
}
