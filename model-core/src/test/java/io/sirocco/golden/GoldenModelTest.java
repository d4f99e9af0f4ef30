package io.sirocco.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.golden.GoldenModel.With;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.model.ClassificationHead;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.model.LayerObserver;
import io.sirocco.model.Scores;
import io.sirocco.model.TokenRow;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The model against what Hugging Face transformers 5.13.1 computes, float32, eager, on the CPU. */
class GoldenModelTest {

  @Test
  void theSharedGoldenDataIsThere() {
    boolean there = Files.isDirectory(GoldenFolder.SHARED);
    if (!there) {
      System.out.println(
          "GoldenModelTest: "
              + GoldenFolder.SHARED
              + " is not there: only this repository's part ran");
    }
    assumeTrue(there, "the shared golden data is not beside this repository");
    assertThat(folders().map(GoldenFolder::toString)).hasSizeGreaterThan(40);
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("float32")
  void float32ComputesWhatTheReferenceComputes(GoldenFolder folder, With with) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, Precision.FLOAT32)) {
      for (JsonNode golden : folder.casesOf("forward")) {
        assertForward(folder, model, golden);
      }
      for (JsonNode golden : folder.casesOf("classify")) {
        assertClassified(folder, model, golden);
      }
      for (JsonNode golden : folder.casesOf("error")) {
        assertRefused(model, golden);
      }
    }
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("bfloat16")
  void bfloat16IsHardlyFurtherFromFloat32ThanTheReferencesOwn(GoldenFolder folder, With with) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, Precision.BFLOAT16)) {
      Distances ours = new Distances();
      Distances reference = new Distances();
      for (String kind : List.of("forward_bf16", "classify_bf16")) {
        for (JsonNode golden : folder.casesOf(kind)) {
          float[] want = GoldenFolder.floats(golden.path("float32").get(0));
          ours.add(want, lastLogits(model, golden, kind));
          reference.add(want, GoldenFolder.floats(golden.path("eager").get(0)));
        }
      }
      System.out.printf(
          "bfloat16 %s on %s: rms %.5f, reference %.5f; largest %.5f, reference %.5f%n",
          folder, with, ours.rms(), reference.rms(), ours.largest(), reference.largest());
      assertThat(ours.rms()).isLessThanOrEqualTo(1.5 * reference.rms());
      assertThat(ours.largest()).isLessThanOrEqualTo(1.5 * reference.largest());
    }
  }

  private static float[] lastLogits(GoldenModel model, JsonNode golden, String kind) {
    List<TokenRow> rows = GoldenFolder.rows(golden);
    Matrix residual = model.decoder().forward(rows);
    if (kind.equals("classify_bf16")) {
      return new ClassificationHead(model.model(), model.weights().score())
          .logits(rows, residual, model.allocator())[0];
    }
    return new LanguageModelHead(model.model(), model.weights().lmHead())
        .logits(residual, List.of(residual.rows() - 1), model.allocator())[0];
  }

  static void assertForward(GoldenFolder folder, GoldenModel model, JsonNode golden) {
    List<TokenRow> rows = GoldenFolder.rows(golden);
    HiddenStates states = new HiddenStates(model);
    Matrix residual = model.decoder().forward(rows, states);
    List<Integer> tokens = new ArrayList<>();
    golden.path("at").forEach(at -> tokens.add(token(rows, at)));
    float[][] logits =
        new LanguageModelHead(model.model(), model.weights().lmHead())
            .logits(residual, tokens, model.allocator());
    for (int i = 0; i < tokens.size(); i++) {
      String what = folder + " " + golden.path("name").asText() + " at " + golden.path("at").get(i);
      assertClose(folder, what, logits[i], golden.path("logits").get(i));
    }
    JsonNode wanted = golden.path("hidden_states");
    for (int layer = 0; layer < wanted.size(); layer++) {
      for (int i = 0; i < wanted.get(layer).size(); i++) {
        int token = token(rows, golden.path("hidden_states_at").get(i));
        String what = folder + " hidden state " + layer + " at " + token;
        assertClose(folder, what, states.at(layer, token), wanted.get(layer).get(i));
      }
    }
  }

  private static void assertClassified(GoldenFolder folder, GoldenModel model, JsonNode golden) {
    List<TokenRow> rows = GoldenFolder.rows(golden);
    List<Integer> undefined = new ArrayList<>();
    golden.path("implementation_defined_rows").forEach(row -> undefined.add(row.asInt()));
    Matrix residual = model.decoder().forward(rows);
    float[][] logits =
        new ClassificationHead(model.model(), model.weights().score())
            .logits(rows, residual, model.allocator());
    for (int row = 0; row < rows.size(); row++) {
      String what = folder + " " + golden.path("name").asText() + " row " + row;
      if (undefined.contains(row)) {
        assertThat(logits[row]).as(what).doesNotContain(Float.NaN);
        continue;
      }
      assertClose(folder, what, logits[row], golden.path("logits").get(row));
      double[] scores = Scores.of(model.model().config().labels().kind(), logits[row]);
      JsonNode top = golden.path("top").get(row);
      assertThat(model.model().config().labels().names().get(Scores.best(scores)))
          .as(what)
          .isEqualTo(top.path("label").asText());
      assertClose(folder, what, floats(scores), golden.path("scores").get(row));
    }
  }

  /** Errors of generate() belong to generation; those that only padded batches have are scored. */
  private static void assertRefused(GoldenModel model, JsonNode golden) {
    List<TokenRow> rows = GoldenFolder.rows(golden);
    switch (golden.path("name").asText()) {
      case "id-out-of-range" ->
          assertThatThrownBy(() -> model.decoder().forward(rows))
              .isInstanceOf(IndexOutOfBoundsException.class)
              .hasMessageContaining("128");
      case "batch-without-pad" ->
          assertThat(
                  new ClassificationHead(model.model(), model.weights().score())
                      .logits(rows, model.decoder().forward(rows), model.allocator()))
              .hasDimensions(2, model.model().config().labels().names().size());
      default -> assertThat(golden.path("generation_config").isObject()).isTrue();
    }
  }

  private static int token(List<TokenRow> rows, JsonNode rowAndSlot) {
    int token = rowAndSlot.get(1).asInt();
    for (int row = 0; row < rowAndSlot.get(0).asInt(); row++) {
      token += rows.get(row).length();
    }
    return token;
  }

  private static void assertClose(GoldenFolder folder, String what, float[] got, JsonNode want) {
    float[] wanted = GoldenFolder.floats(want);
    assertThat(got).as(what).hasSameSizeAs(wanted);
    for (int i = 0; i < wanted.length; i++) {
      assertThat(Math.abs((double) got[i] - wanted[i]))
          .as("%s, element %d: %s, the reference has %s", what, i, got[i], wanted[i])
          .isLessThanOrEqualTo(folder.tolerance(wanted[i]));
    }
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  private static final class Distances {
    private double squares;
    private double largest;
    private int count;

    void add(float[] want, float[] got) {
      for (int i = 0; i < want.length; i++) {
        double distance = Math.abs((double) want[i] - got[i]);
        squares += distance * distance;
        largest = Math.max(largest, distance);
        count++;
      }
    }

    double rms() {
      return Math.sqrt(squares / count);
    }

    double largest() {
      return largest;
    }
  }

  /** Copies the residual stream after each layer; the last one as the reference has it, normed. */
  private static final class HiddenStates implements LayerObserver {
    private final GoldenModel model;
    private final List<float[][]> layers = new ArrayList<>();

    HiddenStates(GoldenModel model) {
      this.model = model;
    }

    @Override
    public void after(int layer, Matrix residual) {
      float[][] rows = new float[residual.rows()][residual.columns()];
      for (int row = 0; row < rows.length; row++) {
        residual.readRow(row, rows[row]);
      }
      layers.add(rows);
    }

    float[] at(int layer, int token) {
      float[] state = layers.get(layer)[token].clone();
      if (layer == layers.size() - 1) {
        double squares = 0;
        for (float value : state) {
          squares += (double) value * value;
        }
        double scale = 1 / Math.sqrt(squares / state.length + model.model().config().rmsNormEps());
        for (int i = 0; i < state.length; i++) {
          state[i] = (float) (state[i] * scale) * model.model().norm()[i];
        }
      }
      return state;
    }
  }

  static Stream<Arguments> float32() {
    return folders()
        .filter(GoldenModelTest::hasCases)
        .flatMap(folder -> Stream.of(With.values()).map(with -> arguments(folder, with)));
  }

  static Stream<Arguments> bfloat16() {
    return folders()
        .filter(
            folder ->
                !folder.casesOf("forward_bf16").isEmpty()
                    || !folder.casesOf("classify_bf16").isEmpty())
        .flatMap(
            folder ->
                Stream.of(With.values())
                    .filter(with -> with == With.JAVA || OneDnnKernels.multipliesBfloat16())
                    .map(with -> arguments(folder, with)));
  }

  private static boolean hasCases(GoldenFolder folder) {
    return !folder.casesOf("forward").isEmpty() || !folder.casesOf("classify").isEmpty();
  }

  static Stream<GoldenFolder> folders() {
    Stream<GoldenFolder> own = GoldenFolder.below(GoldenFolder.OWN).stream();
    return Files.isDirectory(GoldenFolder.SHARED)
        ? Stream.concat(own, GoldenFolder.below(GoldenFolder.SHARED).stream())
        : own;
  }
}
