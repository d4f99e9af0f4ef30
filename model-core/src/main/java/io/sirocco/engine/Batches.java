package io.sirocco.engine;

import io.sirocco.kernel.Matrix;
import io.sirocco.model.Decoder;
import java.util.List;
import java.util.OptionalInt;
import org.apache.arrow.memory.OutOfMemoryException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Computes batches of whole rows and fulfils the promises made for them. */
final class Batches implements Worker {
  private static final Logger LOG = LoggerFactory.getLogger(Batches.class);

  private final Decoder decoder;
  private final BatchHead head;
  private final int batchTokens;

  /**
   * Takes over the decoder.
   *
   * @param batchTokens token budget of one batch
   */
  Batches(Decoder decoder, BatchHead head, int batchTokens) {
    this.decoder = decoder;
    this.head = head;
    this.batchTokens = batchTokens;
  }

  @Override
  public boolean work(RowQueue queue) throws InterruptedException {
    List<RowQueue.Entry> batch = queue.take(batchTokens);
    if (!batch.isEmpty()) {
      compute(batch);
    }
    return !batch.isEmpty();
  }

  /**
   * Every row gets its outcome. If a batch fails, its rows are computed one by one, so that a row
   * which cannot be computed takes no other with it.
   *
   * @throws Error what the JVM throws when it is beyond help; the rows get it, too
   */
  private void compute(List<RowQueue.Entry> batch) {
    try {
      List<RowOutcome> outcomes = outcomes(batch);
      for (int i = 0; i < outcomes.size(); i++) {
        batch.get(i).outcome().complete(outcomes.get(i));
      }
    } catch (RuntimeException e) {
      if (batch.size() > 1) {
        LOG.warn("a batch of {} rows failed and is computed row by row", batch.size(), e);
        batch.forEach(entry -> compute(List.of(entry)));
      } else {
        batch.get(0).outcome().complete(failure(batch.get(0).accepted(), e));
      }
    } catch (Error e) {
      batch.forEach(entry -> entry.outcome().completeExceptionally(e));
      throw e;
    }
  }

  private List<RowOutcome> outcomes(List<RowQueue.Entry> batch) {
    List<Intake.Accepted> rows = batch.stream().map(RowQueue.Entry::accepted).toList();
    Matrix residual = decoder.forward(rows.stream().map(Intake.Accepted::row).toList());
    return head.outcomes(rows, residual);
  }

  /** What a row gets whose computation failed, also alone. */
  static RowOutcome failure(Intake.Accepted row, RuntimeException e) {
    LOG.warn("a row of {} tokens failed", row.row().length(), e);
    RowErrorCode code =
        e instanceof OutOfMemoryException ? RowErrorCode.OUT_OF_MEMORY : RowErrorCode.ENGINE_ERROR;
    return new RowOutcome.Failed(code, String.valueOf(e), OptionalInt.of(row.tokenCount()));
  }

  @Override
  public void close() {
    decoder.close();
  }
}
