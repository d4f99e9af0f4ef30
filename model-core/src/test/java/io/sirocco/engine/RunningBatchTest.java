package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.kernel.Precision;
import io.sirocco.model.Continuation;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.TokenRow;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;

class RunningBatchTest {
  private static final int TOKENS = 16;

  /** Is given up behind the back of whoever has just seen that it is not. */
  private static final class GivenUpOnceLookedAt extends CompletableFuture<RowOutcome> {
    @Override
    public boolean isDone() {
      boolean done = super.isDone();
      complete(new RowOutcome.Failed(RowErrorCode.EMPTY_TEXT, "", OptionalInt.empty()));
      return done;
    }
  }

  /** Holds its memory, and that is all. */
  private static final class IdleRow extends GeneratingRow {
    IdleRow(CompletableFuture<RowOutcome> outcome, KvBudget budget) {
      super(
          new RowQueue.Entry(
              new Intake.Accepted(TokenRow.of(1, 2), 2, false, "", LabelTree.NONE, "", 0), outcome),
          new Size(2, TOKENS, 1),
          budget);
    }

    @Override
    int sequences() {
      return 1;
    }

    @Override
    List<Continuation> next() {
      return List.of();
    }

    @Override
    void accept(float[][] logits) {}

    @Override
    boolean isDone() {
      return false;
    }

    @Override
    RowOutcome outcome() {
      throw new IllegalStateException("never done");
    }

    @Override
    void closeCaches() {}
  }

  @Test
  void aRowThatIsGivenUpAtAnyMomentLeavesNoMemoryBehind() throws Exception {
    MistralConfig config =
        MistralConfig.parse(
            WriterModel.JSON.readTree(
                """
                {"model_type": "mistral", "hidden_size": 64, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2}
                """),
            "config.json");
    try (BufferAllocator allocator = new RootAllocator();
        KvBudget budget = new KvBudget(config, Precision.FLOAT32, allocator, 1 << 20)) {
      List<GeneratingRow> rows = new ArrayList<>();
      rows.add(new IdleRow(new CompletableFuture<>(), budget));
      rows.add(new IdleRow(new GivenUpOnceLookedAt(), budget));
      long both = budget.allocated();

      RunningBatch.closeGivenUp(rows);
      assertThat(rows).hasSize(2);
      assertThat(budget.allocated()).isEqualTo(both);

      RunningBatch.closeGivenUp(rows);
      assertThat(rows).hasSize(1);
      assertThat(budget.allocated()).isEqualTo(both / 2);

      rows.forEach(GeneratingRow::close);
    }
  }
}
