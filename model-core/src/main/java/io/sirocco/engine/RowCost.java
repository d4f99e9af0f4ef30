package io.sirocco.engine;

/**
 * Tokens of a row, those of its labels included, by what they took.
 *
 * @param computed for this row
 * @param prefix that were not, because many rows begin with them
 * @param duplicate that were not, because the row has the answer of an equal one
 */
public record RowCost(long computed, long prefix, long duplicate) {
  /** Of a row that was refused, or of no row. */
  public static final RowCost NONE = new RowCost(0, 0, 0);

  static RowCost ofComputed(Intake.Accepted row) {
    return new RowCost(row.row().length() - row.shared(), row.shared(), 0);
  }

  static RowCost ofDuplicate(Intake.Accepted row) {
    return new RowCost(0, 0, row.row().length());
  }

  /** Whether the row has the answer of an equal one. */
  public boolean isDuplicate() {
    return duplicate > 0;
  }
}
