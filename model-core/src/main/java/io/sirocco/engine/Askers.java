package io.sirocco.engine;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * All who wait for the outcome of one queued row: its own caller, and those of equal rows. The row
 * is given up when all of them have given up. Safe for any number of threads.
 */
final class Askers {
  private final CompletableFuture<RowOutcome> outcome;
  private int waiting;
  private boolean abandoned;

  /** {@code outcome} is cancelled once nobody waits for it any more. */
  Askers(CompletableFuture<RowOutcome> outcome) {
    this.outcome = outcome;
  }

  /** One more; empty if the row has been given up. */
  Optional<RowAnswer> join(RowCost cost) {
    synchronized (this) {
      if (abandoned) {
        return Optional.empty();
      }
      waiting++;
    }
    RowAnswer answer = new RowAnswer(cost);
    var unusedCancelled =
        answer.whenComplete(
            (found, failure) -> {
              if (answer.isCancelled() && isLast()) {
                boolean interruptRunning = false;
                outcome.cancel(interruptRunning);
              }
            });
    var unusedSettled =
        outcome.whenComplete(
            (found, failure) -> {
              if (failure == null) {
                answer.complete(found);
              } else {
                answer.completeExceptionally(failure);
              }
            });
    return Optional.of(answer);
  }

  private synchronized boolean isLast() {
    waiting--;
    abandoned = waiting == 0;
    return abandoned;
  }
}
