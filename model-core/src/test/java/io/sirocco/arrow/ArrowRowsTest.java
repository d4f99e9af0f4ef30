package io.sirocco.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Prompts;
import io.sirocco.engine.Task;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.sampling.GenerationOptions;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Batches of rows through the sample writer. */
class ArrowRowsTest {
  private static final int SAMPLES = 2;
  private static Engine engine;

  @BeforeAll
  static void openEngine() {
    boolean yes = true;
    GenerationOptions options =
        GenerationOptions.none()
            .with(GenerationKey.DO_SAMPLE, yes)
            .with(GenerationKey.MAX_NEW_TOKENS, 4)
            .with(GenerationKey.N, SAMPLES);
    engine =
        Engine.open(
            EngineOptions.of(
                    "../sample-data/ticket-writer",
                    new Task.Generate(options, Prompts.chat(""), 0, 4, yes))
                .withPrecision(PrecisionChoice.FLOAT32)
                .withBatchTokens(256)
                .withMaxTokens(1024));
  }

  @AfterAll
  static void closeEngine() {
    engine.close();
  }

  private static GenerateOptions allColumns() {
    boolean yes = true;
    return new GenerateOptions(SAMPLES, yes, yes);
  }

  private static VarCharVector texts(String name, BufferAllocator allocator, String... values) {
    VarCharVector vector = new VarCharVector(name, allocator);
    vector.allocateNew();
    for (int i = 0; i < values.length; i++) {
      if (!values[i].isEmpty()) {
        vector.setSafe(i, values[i].getBytes(StandardCharsets.UTF_8));
      }
    }
    vector.setValueCount(values.length);
    return vector;
  }

  @Test
  void everyResultRowSaysWhichRowItBelongsTo() throws InterruptedException {
    try (BufferAllocator allocator =
            engine.allocator().newChildAllocator("test", 0, Long.MAX_VALUE);
        VectorSchemaRoot rows =
            VectorSchemaRoot.of(
                texts(ArrowRows.TEXT, allocator, "Write a support ticket.", "", "Hello?"),
                texts(ArrowRows.KEY, allocator, "a", "b", ""));
        ArrowRows.Pending pending = new ArrowRows(engine, allColumns(), allocator).submit(rows);
        ResultBatch results = pending.await()) {
      List<Integer> inputRows = new ArrayList<>();
      List<Object> samples = new ArrayList<>();
      IntVector indexes = (IntVector) results.columns().getVector("sample_index");
      for (int row = 0; row < results.size(); row++) {
        inputRows.add(results.inputRow(row));
        samples.add(indexes.getObject(row));
      }

      assertThat(results.columns().getSchema())
          .isEqualTo(ArrowRows.resultSchema(allColumns(), engine.plan().labels()));
      assertThat(inputRows).containsExactly(0, 0, 1, 2, 2);
      assertThat(samples).containsExactly(0, 1, null, 0, 1);
      assertThat(results.columns().getVector("error").isNull(2)).isFalse();
      assertThat(results.columns().getVector("generated_text").isNull(2)).isTrue();
    }
  }

  @Test
  void aBatchHasOneColumnForTheModelToRead() {
    try (BufferAllocator allocator =
        engine.allocator().newChildAllocator("test", 0, Long.MAX_VALUE)) {
      assertRefused(allocator, List.of(texts("body", allocator, "x")), "expected exactly one of");
      assertRefused(
          allocator,
          List.of(texts(ArrowRows.TEXT, allocator, "x"), texts(ArrowRows.MESSAGES, allocator, "x")),
          "expected exactly one of");
      assertRefused(
          allocator,
          List.of(texts(ArrowRows.TEXT, allocator, "x"), texts(ArrowRows.LABELS, allocator, "x")),
          "column labels is");
    }
  }

  private static void assertRefused(
      BufferAllocator allocator, List<FieldVector> columns, String message) {
    try (VectorSchemaRoot rows = new VectorSchemaRoot(columns)) {
      ArrowRows engineRows = new ArrowRows(engine, allColumns(), allocator);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> engineRows.submit(rows))
          .withMessageContaining(message);
    }
  }
}
