package io.sirocco.template;

import io.sirocco.template.TemplateException.Kind;

/** One rendering: what it may still take, where it is, and what it has written. */
final class Run {
  private final String where;
  private final Limits limits;
  private final TextBuilder output = new TextBuilder(this);
  private long left;
  private Position at = new Position(1, 1);

  Run(String where, Limits limits) {
    this.where = where;
    this.limits = limits;
    this.left = limits.work();
  }

  TextBuilder output() {
    return output;
  }

  /** A node of the template is evaluated; errors from here on are its own. */
  void step(Position position) {
    at = position;
    charge(Limits.NODE);
  }

  /** Pays for {@code units} of work before they are done. */
  void charge(long units) {
    left -= units;
    if (left < 0) {
      throw limit(
          "the template takes more than " + limits.work() + " units of work; it is stopped");
    }
  }

  /** Refuses a text of {@code length} UTF-16 units if that is too long. */
  void checkLength(long length) {
    if (length > limits.textLength()) {
      throw limit("a text would become longer than " + limits.textLength() + " characters");
    }
  }

  TemplateException failure(String problem) {
    return new TemplateException(Kind.VALUE, where, at, problem);
  }

  TemplateException limit(String problem) {
    return new TemplateException(Kind.LIMIT, where, at, problem);
  }

  TemplateException raised(String message) {
    return new TemplateException(Kind.RAISED, where, at, message);
  }

  TemplateException badRequest(String problem) {
    return new TemplateException(where, problem);
  }
}
