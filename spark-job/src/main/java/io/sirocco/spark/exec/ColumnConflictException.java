package io.sirocco.spark.exec;

/** A result column has the name of an input column. */
public final class ColumnConflictException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String column;

  ColumnConflictException(String column, String prefix) {
    super(
        "the input already has a column "
            + column
            + ", which is also the name of a result column (output.prefix is \""
            + prefix
            + "\"); set output.prefix to something that makes the names differ, or rename the input"
            + " column");
    this.column = column;
  }

  /** The input's column. */
  public String column() {
    return column;
  }
}
