package io.sirocco.engine;

import java.io.Serializable;

/**
 * What an engine has done since it was opened, and what it holds at the moment: a snapshot, whose
 * numbers may be a moment apart.
 */
public record EngineStatistics(
    Rows rows, Tokens tokens, Saved saved, Batches batches, Memory memory) implements Serializable {

  /** Of an engine that has done nothing and holds nothing. */
  public static final EngineStatistics NONE =
      new EngineStatistics(
          new Rows(0, 0, 0, 0),
          new Tokens(0, 0, 0),
          Saved.NONE,
          new Batches(0, 0, 0),
          new Memory(0, 0, 0, 0, 0));

  /**
   * Rows, and texts of them.
   *
   * @param done that got their outcome, the failed ones among them
   * @param failed that got the reason why there is no result
   * @param queued that wait now
   * @param running texts that are written now; 0 where nothing is written
   */
  public record Rows(long done, long failed, long queued, long running) implements Serializable {}

  /**
   * Tokens.
   *
   * @param read of prompts and rows, computed once for each time that they were
   * @param generated chosen for texts, those of all samples and beams
   * @param queued of the rows that wait now
   */
  public record Tokens(long read, long generated, long queued) implements Serializable {}

  /**
   * What did not have to be computed.
   *
   * @param prefixTokens that rows took over from the shared prefix
   * @param duplicateRows that got the answer of an equal row, also while that was computed
   * @param duplicateTokens that these rows have
   */
  public record Saved(long prefixTokens, long duplicateRows, long duplicateTokens)
      implements Serializable {
    static final Saved NONE = new Saved(0, 0, 0);

    Saved plus(Saved other) {
      return new Saved(
          prefixTokens + other.prefixTokens,
          duplicateRows + other.duplicateRows,
          duplicateTokens + other.duplicateTokens);
    }
  }

  /**
   * Forward passes, which steps of a running batch are as well.
   *
   * @param count of them
   * @param tokens in them
   * @param budget tokens that they could have held; a longer row is a pass of its own, and counts
   *     its length
   */
  public record Batches(long count, long tokens, long budget) implements Serializable {

    /** Share of the budget that was used, 0 to 1; 0 without a batch. */
    public double fill() {
      return budget == 0 ? 0 : (double) tokens / budget;
    }
  }

  /**
   * Bytes.
   *
   * @param keysAndValues of the texts that are written now, and of the shared prefix
   * @param keysAndValuesBudget what they may take together; 0 where there are none
   * @param weightsMapped read in place, shared by all processes of the host
   * @param owned native memory of the engine and its callers, keys and values among it
   * @param ownedPeak the most that it has been
   */
  public record Memory(
      long keysAndValues, long keysAndValuesBudget, long weightsMapped, long owned, long ownedPeak)
      implements Serializable {}

  /** Of both together; peaks are added up, too. */
  public EngineStatistics plus(EngineStatistics other) {
    return new EngineStatistics(
        new Rows(
            rows.done + other.rows.done,
            rows.failed + other.rows.failed,
            rows.queued + other.rows.queued,
            rows.running + other.rows.running),
        new Tokens(
            tokens.read + other.tokens.read,
            tokens.generated + other.tokens.generated,
            tokens.queued + other.tokens.queued),
        saved.plus(other.saved),
        new Batches(
            batches.count + other.batches.count,
            batches.tokens + other.batches.tokens,
            batches.budget + other.batches.budget),
        new Memory(
            memory.keysAndValues + other.memory.keysAndValues,
            memory.keysAndValuesBudget + other.memory.keysAndValuesBudget,
            memory.weightsMapped + other.memory.weightsMapped,
            memory.owned + other.memory.owned,
            memory.ownedPeak + other.memory.ownedPeak));
  }

  /** What has been done, without what was held: of an engine that is closed. */
  public EngineStatistics done() {
    return new EngineStatistics(
        new Rows(rows.done, rows.failed, 0, 0),
        new Tokens(tokens.read, tokens.generated, 0),
        saved,
        batches,
        NONE.memory);
  }
}
