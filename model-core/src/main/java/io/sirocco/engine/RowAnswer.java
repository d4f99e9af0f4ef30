package io.sirocco.engine;

import java.util.concurrent.CompletableFuture;

/**
 * The outcome promised for one row. Cancelling it gives the row up; equal rows get their answers
 * all the same.
 */
public final class RowAnswer extends CompletableFuture<RowOutcome> {
  private final RowCost cost;

  RowAnswer(RowCost cost) {
    this.cost = cost;
  }

  /** Of a row that never came to the engine. */
  public static RowAnswer refused(RowOutcome.Failed why) {
    return of(why, RowCost.NONE);
  }

  static RowAnswer of(RowOutcome outcome, RowCost cost) {
    RowAnswer answer = new RowAnswer(cost);
    answer.complete(outcome);
    return answer;
  }

  /** What the answer takes, or took. */
  public RowCost cost() {
    return cost;
  }
}
