package io.sirocco.engine;

import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * Counts what an engine does, a few numbers for each row and each forward pass, and knows the pass
 * that is computed now. Written by the engine's thread and by callers, read by anybody.
 */
final class Meter {
  private final int batchTokens;
  private final LongAdder rowsDone = new LongAdder();
  private final LongAdder rowsFailed = new LongAdder();
  private final LongAdder tokensRead = new LongAdder();
  private final LongAdder tokensGenerated = new LongAdder();
  private final LongAdder tokensShared = new LongAdder();
  private final LongAdder rowsDuplicate = new LongAdder();
  private final LongAdder tokensDuplicate = new LongAdder();
  private final LongAdder passes = new LongAdder();
  private final LongAdder passTokens = new LongAdder();
  private final LongAdder passBudget = new LongAdder();
  private volatile int textsRunning;
  private volatile Optional<Pass> current = Optional.empty();

  /**
   * A forward pass with what follows from it.
   *
   * @param startedNanos as {@link System#nanoTime}
   */
  record Pass(int rows, int tokens, long startedNanos) {}

  /** {@code batchTokens} is the token budget of a pass. */
  Meter(int batchTokens) {
    this.batchTokens = batchTokens;
  }

  /** Does the work of a pass over so many rows and tokens; counts it if it ends well. */
  <T> T pass(int rows, int tokens, Supplier<T> work) {
    current = Optional.of(new Pass(rows, tokens, System.nanoTime()));
    try {
      T result = work.get();
      passes.increment();
      passTokens.add(tokens);
      passBudget.add(Math.max(tokens, batchTokens));
      return result;
    } finally {
      current = Optional.empty();
    }
  }

  /** What is computed now. */
  Optional<Pass> current() {
    return current;
  }

  void done(RowOutcome outcome) {
    rowsDone.increment();
    if (outcome instanceof RowOutcome.Failed) {
      rowsFailed.increment();
    }
  }

  void read(long tokens) {
    tokensRead.add(tokens);
  }

  void generated(long tokens) {
    tokensGenerated.add(tokens);
  }

  /** So many tokens of rows were taken over from the shared prefix. */
  void shared(long tokens) {
    tokensShared.add(tokens);
  }

  /** A row of so many tokens has the answer of an equal one. */
  void duplicate(long tokens) {
    rowsDuplicate.increment();
    tokensDuplicate.add(tokens);
  }

  void running(int texts) {
    textsRunning = texts;
  }

  EngineStatistics.Rows rows(int queued) {
    return new EngineStatistics.Rows(rowsDone.sum(), rowsFailed.sum(), queued, textsRunning);
  }

  EngineStatistics.Tokens tokens(long queued) {
    return new EngineStatistics.Tokens(tokensRead.sum(), tokensGenerated.sum(), queued);
  }

  EngineStatistics.Saved saved() {
    return new EngineStatistics.Saved(
        tokensShared.sum(), rowsDuplicate.sum(), tokensDuplicate.sum());
  }

  EngineStatistics.Batches batches() {
    return new EngineStatistics.Batches(passes.sum(), passTokens.sum(), passBudget.sum());
  }
}
