package io.sirocco.spark.exec;

import io.sirocco.engine.RowCost;
import java.io.Serializable;

/**
 * What the tokens of a number of rows took. Where answers are kept from earlier runs, theirs is not
 * known, and counts nothing.
 *
 * @param computedTokens of prompts and labels that were computed
 * @param prefixTokens that were taken over from a prefix that many rows share; computing that
 *     prefix once on each executor is not counted
 * @param duplicateRows that got the answer of an equal row
 * @param duplicateTokens of these rows
 */
public record Saved(
    long computedTokens, long prefixTokens, long duplicateRows, long duplicateTokens)
    implements Serializable {
  /** Nothing is known to be computed or saved. */
  public static final Saved NONE = new Saved(0, 0, 0, 0);

  static Saved of(RowCost cost) {
    return new Saved(cost.computed(), cost.prefix(), cost.isDuplicate() ? 1 : 0, cost.duplicate());
  }

  Saved plus(Saved other) {
    return new Saved(
        computedTokens + other.computedTokens,
        prefixTokens + other.prefixTokens,
        duplicateRows + other.duplicateRows,
        duplicateTokens + other.duplicateTokens);
  }
}
