package io.sirocco.engine;

import io.sirocco.kernel.Matrix;
import io.sirocco.model.EmbeddingHead;
import io.sirocco.model.PrefixedRow;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.apache.arrow.memory.BufferAllocator;

/** {@link Task.Embed}: a vector of the row's hidden states. */
final class EmbedHead implements BatchHead {
  private final EmbeddingHead head;
  private final BufferAllocator allocator;

  EmbedHead(EmbeddingHead head, BufferAllocator allocator) {
    this.head = head;
    this.allocator = allocator;
  }

  @Override
  public List<RowOutcome> outcomes(
      List<Intake.Accepted> rows, List<PrefixedRow> behind, Matrix residual) {
    float[][] embeddings = head.embeddings(behind, residual, allocator);
    List<RowOutcome> outcomes = new ArrayList<>();
    for (int row = 0; row < embeddings.length; row++) {
      outcomes.add(outcome(rows.get(row), embeddings[row]));
    }
    return outcomes;
  }

  private static RowOutcome outcome(Intake.Accepted row, float[] embedding) {
    OptionalInt tokens = OptionalInt.of(row.tokenCount());
    for (int i = 0; i < embedding.length; i++) {
      if (!Float.isFinite(embedding[i])) {
        return new RowOutcome.Failed(
            RowErrorCode.NON_FINITE_LOGITS,
            "element " + i + " of the embedding is " + embedding[i],
            tokens);
      }
    }
    return new RowOutcome.Embedded(embedding, tokens, row.truncated());
  }
}
