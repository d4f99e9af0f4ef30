package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.arrow.memory.BufferAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EngineTest {

  @ParameterizedTest
  @EnumSource(
      value = KernelChoice.class,
      names = {"AUTO", "JAVA"})
  void logitsAreTheReferences(KernelChoice kernels) throws Exception {
    Map<String, String> tickets = SampleModel.tickets();
    try (Engine engine = Engine.open(SampleModel.options().withKernels(kernels))) {
      List<Future<RowOutcome>> outcomes = new ArrayList<>();
      for (JsonNode expected : SampleModel.expected()) {
        outcomes.add(engine.submit(text(tickets.get(expected.path("id").asText()))));
      }
      for (int i = 0; i < outcomes.size(); i++) {
        JsonNode expected = SampleModel.expected().get(i);
        RowOutcome.Scored scored = (RowOutcome.Scored) outcomes.get(i).get();
        assertThat(scored.tokenCount()).hasValue(expected.path("tokens").asInt());
        for (int label = 0; label < scored.logits().length; label++) {
          assertThat(scored.logits()[label])
              .isCloseTo((float) expected.path("logits").get(label).asDouble(), within(2e-4f));
        }
      }
    }
  }

  @Test
  void whatARowSharesItsBatchWithChangesNoBit() throws Exception {
    List<String> texts = SampleModel.tickets().values().stream().limit(60).toList();
    List<float[]> alone = new ArrayList<>();
    try (Engine engine = Engine.open(SampleModel.options())) {
      for (String text : texts) {
        alone.add(((RowOutcome.Scored) engine.submit(text(text)).get()).logits());
      }
      List<Future<RowOutcome>> together = new ArrayList<>();
      for (String text : texts) {
        together.add(engine.submit(text(text)));
      }
      for (int i = 0; i < texts.size(); i++) {
        assertThat(((RowOutcome.Scored) together.get(i).get()).logits()).isEqualTo(alone.get(i));
      }
    }
  }

  @Test
  void badRowsAreAnsweredWithTheirCode() throws Exception {
    try (Engine engine = Engine.open(SampleModel.options().withMaxTokens(8))) {
      assertThat(code(engine, text(""))).isEqualTo("empty-text");
      assertThat(code(engine, text(" \t\n"))).isEqualTo("empty-text");
      assertThat(code(engine, text("far more words than eight tokens could ever hold, I believe")))
          .isEqualTo("too-long");
      assertThat(code(engine, tokens())).isEqualTo("empty-tokens");
      assertThat(code(engine, tokens(1, 2048))).isEqualTo("token-out-of-range");
      assertThat(code(engine, tokens(1, -1))).isEqualTo("token-out-of-range");
      assertThat(code(engine, tokens(1, 5, 6, 7, 8, 9, 10, 11, 12))).isEqualTo("too-long");
      assertThat(code(engine, masked(new int[] {1, 5}, 1))).isEqualTo("bad-attention-mask");
      assertThat(code(engine, masked(new int[] {1, 5}, 1, 7))).isEqualTo("bad-attention-mask");
      assertThat(engine.submit(tokens(1, 5)).get()).isInstanceOf(RowOutcome.Scored.class);
    }
  }

  @Test
  void truncatedRowsAreTheRowsTheyAreCutTo() throws Exception {
    int[] all = {1, 50, 60, 70, 80, 90, 100};
    assertThat(
            logits(
                SampleModel.options().withMaxTokens(4).withOverLength(OverLength.TRUNCATE_RIGHT),
                tokens(all)))
        .isEqualTo(logits(SampleModel.options(), tokens(Arrays.copyOf(all, 4))));
    assertThat(
            logits(
                SampleModel.options().withMaxTokens(4).withOverLength(OverLength.TRUNCATE_LEFT),
                tokens(all)))
        .isEqualTo(logits(SampleModel.options(), tokens(70, 80, 90, 100)));
    try (Engine engine =
        Engine.open(
            SampleModel.options().withMaxTokens(4).withOverLength(OverLength.TRUNCATE_LEFT))) {
      RowOutcome.Scored scored =
          (RowOutcome.Scored) engine.submit(text("where is my parcel, it is late")).get();
      assertThat(scored.truncated()).isTrue();
      assertThat(scored.tokenCount().getAsInt()).isGreaterThan(4);
    }
  }

  @Test
  void rowsOfManyCallersAreEachAnswered() throws Exception {
    List<String> texts = SampleModel.tickets().values().stream().limit(400).toList();
    ExecutorService callers = Executors.newFixedThreadPool(8);
    try (Engine engine = Engine.open(SampleModel.options())) {
      List<Future<Integer>> scored = new ArrayList<>();
      for (int caller = 0; caller < 8; caller++) {
        scored.add(
            callers.submit(
                () -> {
                  int count = 0;
                  for (String text : texts) {
                    if (engine.submit(text(text)).get() instanceof RowOutcome.Scored) {
                      count++;
                    }
                  }
                  return count;
                }));
      }
      for (Future<Integer> count : scored) {
        assertThat(count.get()).isEqualTo(texts.size());
      }
    } finally {
      callers.shutdownNow();
    }
  }

  @Test
  void aModelThatComputesNaNFailsItsRowsAndNoMore(@TempDir Path folder) throws Exception {
    Path model = brokenModel(folder);
    try (Engine engine = Engine.open(SampleModel.options().withModel(model.toString()))) {
      RowOutcome.Failed failed =
          (RowOutcome.Failed) engine.submit(text("where is my parcel")).get();
      assertThat(failed.code()).isEqualTo(RowErrorCode.NON_FINITE_LOGITS);
      assertThat(failed.message()).contains("NaN");
    }
  }

  @Test
  void closingRefusesFurtherRowsAndLeavesNoMemory() throws Exception {
    Engine engine = Engine.open(SampleModel.options());
    BufferAllocator allocator = engine.allocator();
    assertThat(engine.submit(text("where is my parcel")).get())
        .isInstanceOf(RowOutcome.Scored.class);
    engine.close();
    engine.close();
    assertThat(allocator.getAllocatedMemory()).isZero();
    assertThatThrownBy(() -> engine.submit(tokens(1, 5)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void aCallersLeakIsFoundAtClosing() {
    Engine engine = Engine.open(SampleModel.options());
    var leaked = engine.allocator().buffer(1024);
    assertThatThrownBy(engine::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("1024");
    assertThat(leaked.refCnt()).isEqualTo(1);
  }

  @Test
  void thePlanSaysWhatWouldRun() {
    EnginePlan plan = Engine.plan(SampleModel.options());
    assertThat(plan.labels().orElseThrow().names()).hasSize(6).contains("billing");
    assertThat(plan.fingerprint()).matches("[0-9a-f]{64}");
    assertThat(plan.memory().weightsMapped()).isPositive();
    assertThat(plan.memory().workspace()).isPositive();
    assertThat(plan.memory().weightsCopied()).isZero();
  }

  @Test
  void aFolderThatIsNoClassifierIsRefused() {
    assertThatThrownBy(
            () -> Engine.open(SampleModel.options().withModel("../sample-data/ticket-writer")))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("score.weight");
    assertThatThrownBy(() -> Engine.open(SampleModel.options().withModel("../sample-data")))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("config.json");
  }

  @Test
  void aWorkspaceBeyondTheMachinesMemoryIsRefusedWithTheNumbers() {
    EngineOptions greedy = SampleModel.options().withBatchTokens(100_000_000);
    assertThatThrownBy(() -> Engine.plan(greedy))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("GiB")
        .hasMessageContaining("batch.max-tokens");
  }

  private static Path brokenModel(Path folder) throws IOException {
    Path source = Path.of(SampleModel.options().model());
    for (String file : List.of("config.json", "tokenizer.json", "model.safetensors")) {
      Files.copy(source.resolve(file), folder.resolve(file));
    }
    // The last weight of the file becomes bfloat16's NaN.
    try (RandomAccessFile weights =
        new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
      weights.seek(weights.length() - 2);
      weights.write(new byte[] {(byte) 0xc0, 0x7f});
    }
    return folder;
  }

  private static RowRequest text(String text) {
    return RowRequest.of(new RowInput.Text(text));
  }

  private static RowRequest tokens(int... ids) {
    return RowRequest.of(new RowInput.Tokens(ids, Optional.empty()));
  }

  private static RowRequest masked(int[] ids, int... mask) {
    return RowRequest.of(new RowInput.Tokens(ids, Optional.of(mask)));
  }

  private static String code(Engine engine, RowRequest row) throws Exception {
    return ((RowOutcome.Failed) engine.submit(row).get()).code().code();
  }

  private static float[] logits(EngineOptions options, RowRequest row) throws Exception {
    try (Engine engine = Engine.open(options)) {
      return ((RowOutcome.Scored) engine.submit(row).get()).logits();
    }
  }
}
