package io.sirocco.engine;

import io.sirocco.kernel.Matrix;
import io.sirocco.model.ClassificationHead;
import io.sirocco.model.PrefixedRow;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.apache.arrow.memory.BufferAllocator;

/** {@link Task.Classify}: logits of the pooled position. */
final class ClassHead implements BatchHead {
  private final ClassificationHead head;
  private final BufferAllocator allocator;

  ClassHead(ClassificationHead head, BufferAllocator allocator) {
    this.head = head;
    this.allocator = allocator;
  }

  @Override
  public List<RowOutcome> outcomes(
      List<Intake.Accepted> rows, List<PrefixedRow> behind, Matrix residual) {
    float[][] logits = head.logitsBehind(behind, residual, allocator);
    List<RowOutcome> outcomes = new ArrayList<>();
    for (int row = 0; row < logits.length; row++) {
      outcomes.add(outcome(rows.get(row), logits[row]));
    }
    return outcomes;
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
}
