package io.sirocco.spark.exec;

import io.sirocco.arrow.GenerateOptions;
import io.sirocco.engine.Task;

/**
 * How many rows a task hands to the engine before it takes results out. Results come out in order,
 * a batch at a time, so a batch waits for its slowest row; what is read ahead keeps the engine busy
 * meanwhile.
 *
 * @param batchRows rows of a batch
 * @param batchWeight of what the model reads in a batch, in characters or their like; the last row
 *     may exceed it
 * @param batchHeld of all columns of a batch, in characters and bytes, likewise: those that the
 *     model does not read, such as attachments, may be far larger than its text
 * @param batches handed over and not taken out
 */
record ReadAhead(int batchRows, long batchWeight, long batchHeld, int batches) {
  /** Of all batches of a task. */
  private static final long WEIGHT = 2 << 20;

  private static final long HELD = 32 << 20;

  /** Rows that are computed at once need about the same time: one batch runs, one waits. */
  private static final ReadAhead FORWARD = new ReadAhead(256, WEIGHT / 2, HELD / 2, 2);

  /** Texts differ in length: small batches come out soon, and rows wait to take their places. */
  private static final int TEXT_BATCHES = 8;

  private static final long TEXTS_PER_PLACE = 4;

  static ReadAhead of(PartitionTask job) {
    if (job.engine().task() instanceof Task.Generate generate
        && job.results() instanceof GenerateOptions results) {
      long texts = generate.maxSequences() * TEXTS_PER_PLACE;
      long rows = texts / TEXT_BATCHES / results.samples();
      return new ReadAhead(
          (int) Math.max(1, Math.min(rows, Integer.MAX_VALUE)),
          WEIGHT / TEXT_BATCHES,
          HELD / TEXT_BATCHES,
          TEXT_BATCHES);
    }
    return FORWARD;
  }
}
