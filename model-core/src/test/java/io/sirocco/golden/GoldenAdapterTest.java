package io.sirocco.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.adapter.LoraAdapter;
import io.sirocco.engine.AdapterOptions;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Prompts;
import io.sirocco.engine.RowInput;
import io.sirocco.engine.RowOutcome;
import io.sirocco.engine.RowRequest;
import io.sirocco.engine.Task;
import io.sirocco.golden.GoldenModel.With;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.model.Adapter;
import io.sirocco.model.ClassificationHead;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.model.LayerObserver;
import io.sirocco.model.PrefixedRow;
import io.sirocco.model.TokenRow;
import io.sirocco.sampling.GenerationOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** LoRA adapters against what peft 0.21.2 computes, float32, unmerged. */
class GoldenAdapterTest {
  private static final Path TOKENIZER = Path.of("../sample-data/ticket-writer/tokenizer.json");

  @TempDir Path folder;

  @BeforeEach
  void needsTheSharedGoldenData() {
    assumeTrue(
        Files.isDirectory(GoldenFolder.SHARED.resolve("lora-causal")),
        "the shared golden data is not beside this repository: adapters are not compared with it");
  }

  @ParameterizedTest
  @CsvSource({
    "lora-causal, JAVA",
    "lora-causal, ONEDNN",
    "lora-seqcls, JAVA",
    "lora-seqcls, ONEDNN"
  })
  void computesWhatTheReferenceComputes(String name, With with) {
    GoldenFolder golden = GoldenFolder.open(GoldenFolder.SHARED.resolve(name));
    int checked = 0;
    int merged = 0;
    double worst = 0;
    try (GoldenModel model =
        GoldenModel.open(golden.path().resolve("base"), with, Precision.FLOAT32)) {
      LoraAdapter folder = LoraAdapter.open(golden.path().resolve("adapter"));
      Adapter adapter = Adapter.of(folder.weights(model.model().config()), model.kernels());
      for (String kind : List.of("forward", "classify")) {
        for (JsonNode wanted : golden.casesOf(kind)) {
          // Merged into weights of 16 bits it has other logits: here it never is.
          if (wanted.has("merged_dtype")) {
            merged++;
            continue;
          }
          Optional<Adapter> used =
              wanted.path("adapter").asBoolean(true) ? Optional.of(adapter) : Optional.empty();
          worst =
              Math.max(
                  worst,
                  kind.equals("forward")
                      ? forward(golden, model, used, wanted)
                      : classify(golden, model, used, wanted));
          checked++;
        }
      }
    }
    System.out.printf(
        "%s on %s: %d cases, the worst off by %.2g; %d of merged weights left out%n",
        name, with, checked, worst, merged);
    assertThat(checked).isGreaterThanOrEqualTo(8);
  }

  private static double forward(
      GoldenFolder golden, GoldenModel model, Optional<Adapter> adapter, JsonNode wanted) {
    List<TokenRow> rows = GoldenFolder.rows(wanted);
    List<float[][]> states = new ArrayList<>();
    LayerObserver observer = (layer, residual) -> states.add(read(residual));
    Matrix residual =
        model
            .decoder()
            .forwardBehind(
                rows.stream().map(row -> PrefixedRow.whole(row, adapter)).toList(), observer);
    List<Integer> tokens = new ArrayList<>();
    wanted.path("at").forEach(at -> tokens.add(token(rows, at)));
    float[][] logits =
        new LanguageModelHead(model.model(), model.weights().lmHead())
            .logits(residual, tokens, model.allocator());
    double worst = 0;
    for (int i = 0; i < tokens.size(); i++) {
      worst = Math.max(worst, distance(golden, wanted, logits[i], wanted.path("logits").get(i)));
    }
    // The last state is normed there; that one is in the logits.
    JsonNode hidden = wanted.path("hidden_states");
    for (int layer = 0; layer + 1 < hidden.size(); layer++) {
      for (int i = 0; i < hidden.get(layer).size(); i++) {
        int token = token(rows, wanted.path("hidden_states_at").get(i));
        float[] state = states.get(layer)[token];
        worst = Math.max(worst, distance(golden, wanted, state, hidden.get(layer).get(i)));
      }
    }
    return worst;
  }

  private static double classify(
      GoldenFolder golden, GoldenModel model, Optional<Adapter> adapter, JsonNode wanted) {
    List<PrefixedRow> rows =
        GoldenFolder.rows(wanted).stream().map(row -> PrefixedRow.whole(row, adapter)).toList();
    List<Integer> undefined = new ArrayList<>();
    wanted.path("implementation_defined_rows").forEach(row -> undefined.add(row.asInt()));
    Matrix residual = model.decoder().forwardBehind(rows);
    float[][] logits =
        new ClassificationHead(model.model(), model.weights().score())
            .logitsBehind(rows, residual, model.allocator());
    double worst = 0;

    for (int row = 0; row < logits.length; row++) {
      if (!undefined.contains(row)) {
        worst =
            Math.max(worst, distance(golden, wanted, logits[row], wanted.path("logits").get(row)));
      }
    }
    return worst;
  }

  @ParameterizedTest
  @EnumSource(names = {"JAVA", "ONEDNN"})
  void writesWhatTheReferenceWrites(KernelChoice kernels) throws Exception {
    GoldenFolder golden = GoldenFolder.open(GoldenFolder.SHARED.resolve("lora-causal"));
    for (String file : List.of("config.json", "generation_config.json", "model.safetensors")) {
      Files.copy(golden.path().resolve("base").resolve(file), folder.resolve(file));
    }
    Files.copy(TOKENIZER, folder.resolve("tokenizer.json"));
    int texts = 0;
    for (JsonNode wanted : golden.casesOf("generate")) {
      boolean logprobs = false;
      EngineOptions options =
          EngineOptions.of(
                  folder.toString(),
                  new Task.Generate(
                      GenerationOptions.fromJson(wanted.path("generation_config"), "case"),
                      Prompts.plain(),
                      64 << 20,
                      64,
                      logprobs))
              .withPrecision(PrecisionChoice.FLOAT32)
              .withKernels(kernels)
              .withThreads(2)
              .withAdapters(AdapterOptions.ofEveryRow(golden.path().resolve("adapter").toString()));
      try (Engine engine = Engine.open(options)) {
        List<Future<RowOutcome>> outcomes = new ArrayList<>();
        for (TokenRow row : GoldenFolder.rows(wanted)) {
          outcomes.add(
              engine.submit(RowRequest.of(new RowInput.Tokens(row.ids(), row.attentionMask()))));
        }
        for (int row = 0; row < outcomes.size(); row++) {
          int[] mine = ((RowOutcome.Generated) outcomes.get(row).get()).samples().get(0).ids();
          int[] ids = GoldenFolder.integers(wanted.path("new_ids").get(row));
          assertThat(wanted.path("finish").get(row).asText())
              .as("how row %d ends: nothing is filled up behind texts of full length", row)
              .isEqualTo("length");
          assertThat(mine).as("row %d", row).isEqualTo(ids);
          texts++;
        }
      }
    }
    assertThat(texts).isPositive();
  }

  private static float[][] read(Matrix matrix) {
    float[][] rows = new float[matrix.rows()][matrix.columns()];
    for (int row = 0; row < rows.length; row++) {
      matrix.readRow(row, rows[row]);
    }
    return rows;
  }

  private static int token(List<TokenRow> rows, JsonNode rowAndSlot) {
    int before =
        rows.subList(0, rowAndSlot.get(0).asInt()).stream().mapToInt(TokenRow::length).sum();
    return before + rowAndSlot.get(1).asInt();
  }

  private static double distance(
      GoldenFolder golden, JsonNode wanted, float[] got, JsonNode values) {
    float[] want = GoldenFolder.floats(values);
    assertThat(got).hasSameSizeAs(want);
    double worst = 0;
    for (int i = 0; i < want.length; i++) {
      double distance = Math.abs((double) got[i] - want[i]);
      assertThat(distance)
          .as("%s, element %d: %s, not %s", wanted.path("name").asText(), i, got[i], want[i])
          .isLessThanOrEqualTo(golden.tolerance(want[i]));
      worst = Math.max(worst, distance);
    }
    return worst;
  }
}
