package io.sirocco.engine;

import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Matrix;
import io.sirocco.model.ClassificationHead;
import io.sirocco.model.Decoder;
import io.sirocco.model.TokenRow;
import java.util.List;
import java.util.OptionalInt;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Computes batches and fulfils the promises made for their rows. */
final class Batches implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Batches.class);

  private final Decoder decoder;
  private final ClassificationHead head;
  private final Kernels kernels;
  private final BufferAllocator allocator;

  /** Takes over decoder and kernels; the allocator stays the caller's. */
  Batches(Decoder decoder, ClassificationHead head, Kernels kernels, BufferAllocator allocator) {
    this.decoder = decoder;
    this.head = head;
    this.kernels = kernels;
    this.allocator = allocator;
  }

  /**
   * Every row gets its outcome. If a batch fails, its rows are computed one by one, so that a row
   * which cannot be computed takes no other with it.
   *
   * @throws Error what the JVM throws when it is beyond help; the rows get it, too
   */
  void compute(List<RowQueue.Entry> batch) {
    try {
      float[][] logits = logits(batch);
      for (int i = 0; i < logits.length; i++) {
        batch.get(i).outcome().complete(outcome(batch.get(i).accepted(), logits[i]));
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

  private float[][] logits(List<RowQueue.Entry> batch) {
    List<TokenRow> rows = batch.stream().map(entry -> entry.accepted().row()).toList();
    Matrix residual = decoder.forward(rows);
    return head.logits(rows, residual, allocator);
  }

  private static RowOutcome outcome(Intake.Accepted row, float[] logits) {
    OptionalInt tokens = OptionalInt.of(row.tokenCount());
    for (int label = 0; label < logits.length; label++) {
      if (!Float.isFinite(logits[label])) {
        return new RowOutcome.Failed(
            RowErrorCode.NON_FINITE_LOGITS,
            "the logit of label " + label + " is " + logits[label],
            tokens);
      }
    }
    return new RowOutcome.Scored(logits, tokens, row.truncated());
  }

  private static RowOutcome failure(Intake.Accepted row, RuntimeException e) {
    LOG.warn("a row of {} tokens failed", row.row().length(), e);
    RowErrorCode code =
        e instanceof OutOfMemoryException ? RowErrorCode.OUT_OF_MEMORY : RowErrorCode.ENGINE_ERROR;
    return new RowOutcome.Failed(code, String.valueOf(e), OptionalInt.of(row.tokenCount()));
  }

  @Override
  public void close() {
    decoder.close();
    kernels.close();
  }
}
