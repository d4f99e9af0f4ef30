package io.sirocco.engine;

import io.sirocco.kernel.Matrix;
import io.sirocco.model.Decoder;
import io.sirocco.model.PrefixedRow;
import java.util.Comparator;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Computes batches of whole rows and fulfils the promises made for them. */
final class Batches implements Worker {
  private static final Logger LOG = LoggerFactory.getLogger(Batches.class);

  private final Parts parts;
  private final int batchTokens;

  /** What computes; decoder and workspace, which is its memory, are closed with this. */
  record Parts(
      Decoder decoder,
      PrefixStore prefix,
      BatchHead head,
      BufferAllocator workspace,
      Meter meter,
      LoneFailures failures) {}

  /** {@code batchTokens} is the token budget of one batch. */
  Batches(Parts parts, int batchTokens) {
    this.parts = parts;
    this.batchTokens = batchTokens;
  }

  @Override
  public boolean work(RowQueue queue) throws InterruptedException {
    List<RowQueue.Entry> batch = queue.take(batchTokens);
    if (!batch.isEmpty()) {
      compute(
          batch.stream()
              .sorted(Comparator.comparing(RowQueue.Entry::accepted, OpenAdapters.TOGETHER))
              .toList());
    }
    return !batch.isEmpty();
  }

  /**
   * Every row gets its outcome. If a batch fails, its rows are computed one by one, so that a row
   * which cannot be computed takes no other with it.
   */
  private void compute(List<RowQueue.Entry> batch) {
    try {
      int tokens = batch.stream().mapToInt(RowQueue.Entry::tokens).sum();
      List<Intake.Accepted> rows = batch.stream().map(RowQueue.Entry::accepted).toList();
      List<PrefixedRow> behind = rows.stream().map(parts.prefix()::row).toList();
      List<RowOutcome> outcomes =
          parts.meter().pass(batch.size(), tokens, () -> outcomes(rows, behind));
      parts.meter().read(tokens);
      parts.meter().shared(rows.stream().mapToInt(Intake.Accepted::shared).sum());
      parts.failures().forget();
      for (int i = 0; i < outcomes.size(); i++) {
        batch.get(i).outcome().complete(outcomes.get(i));
      }
    } catch (RuntimeException e) {
      if (batch.size() > 1) {
        LOG.warn("a batch of {} rows failed and is computed row by row", batch.size(), e);
        batch.forEach(entry -> compute(List.of(entry)));
      } else {
        RowQueue.Entry alone = batch.get(0);
        alone.outcome().complete(parts.failures().outcome(alone.accepted(), e));
      }
    }
  }

  private List<RowOutcome> outcomes(List<Intake.Accepted> rows, List<PrefixedRow> behind) {
    Matrix residual = parts.decoder().forwardBehind(behind);
    return parts.head().outcomes(rows, behind, residual);
  }

  @Override
  public long keyValueBytes() {
    return parts.prefix().allocated();
  }

  @Override
  public void close() {
    parts.prefix().close();
    parts.decoder().close();
    parts.workspace().close();
  }
}
