package io.sirocco.golden;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.golden.GoldenModel.With;
import io.sirocco.kernel.Precision;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.model.TokenRow;
import io.sirocco.sampling.GenerationOptions;
import io.sirocco.sampling.GenerationSettings;
import io.sirocco.sampling.SamplingWorkspace;
import io.sirocco.sampling.ScoreProcessors;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The scores that tokens are chosen by, from the model to the last processor. */
class GoldenSamplingTest {

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("sampled")
  void scoresAndProbabilitiesOfTheFirstTokenAreTheReferences(GoldenFolder folder, With with) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, Precision.FLOAT32)) {
      for (JsonNode golden : folder.casesOf("sample_distribution")) {
        int[] ids = GoldenFolder.integers(golden.path("input_ids").get(0));
        float[] scores = lastLogits(model, ids);
        processors(golden.path("generation_config"), ids.length)
            .apply(ids.clone(), ids.length, scores);
        String what = folder + " " + golden.path("name").asText();
        JsonNode wanted = row(golden.path("scores"));
        double sum = 0;
        for (float score : scores) {
          sum += Math.exp(score);
        }
        for (int id = 0; id < scores.length; id++) {
          float score = number(wanted.get(id));
          if (Float.isInfinite(score)) {
            assertThat(scores[id]).as("%s, score of %d", what, id).isEqualTo(score);
          } else {
            assertNear(scores[id], score, what + ", score of " + id);
          }
          float probability = number(row(golden.path("probabilities")).get(id));
          assertNear(Math.exp(scores[id]) / sum, probability, what + ", probability of " + id);
        }
      }
    }
  }

  /** The largest score of each step, computed for the reference's own text. */
  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("greedy")
  void scoresOfEveryStepAreTheReferences(GoldenFolder folder, With with) {
    try (GoldenModel model = GoldenModel.open(folder.path(), with, Precision.FLOAT32)) {
      for (JsonNode golden : folder.casesOf("generate")) {
        for (int row = 0; golden.has("scores_max") && row < golden.path("new_ids").size(); row++) {
          int[] sequence = GoldenFolder.integers(golden.path("sequences").get(row));
          int prompt = golden.path("input_ids").get(row).size();
          ScoreProcessors processors = processors(golden.path("generation_config"), prompt);
          for (int step = 0; step < golden.path("scores_max").size(); step++) {
            int[] ids = Arrays.copyOf(sequence, prompt + step);
            float[] scores = lastLogits(model, ids);
            processors.process(ids, ids.length, scores);
            float largest = Float.NEGATIVE_INFINITY;
            for (float score : scores) {
              largest = Math.max(largest, score);
            }
            assertNear(
                largest,
                number(golden.path("scores_max").get(step).get(row)),
                folder + " " + golden.path("name").asText() + " step " + step);
          }
        }
      }
    }
  }

  private static ScoreProcessors processors(JsonNode settings, int promptLength) {
    ObjectNode all = settings.deepCopy();
    all.put("max_new_tokens", settings.path("max_new_tokens").asInt(20));
    GenerationSettings resolved =
        GenerationSettings.resolve(
            GenerationOptions.fromJson(all, "case"), GenerationOptions.none());
    return ScoreProcessors.of(resolved, promptLength, new SamplingWorkspace());
  }

  private static float[] lastLogits(GoldenModel model, int[] ids) {
    return new LanguageModelHead(model.model(), model.weights().lmHead())
        .logits(
            model.decoder().forward(List.of(TokenRow.of(ids))),
            List.of(ids.length - 1),
            model.allocator())[0];
  }

  /** The only row, whether or not it is in a list. */
  private static JsonNode row(JsonNode values) {
    return values.get(0).isArray() ? values.get(0) : values;
  }

  private static float number(JsonNode value) {
    return value.isTextual()
        ? Float.parseFloat(value.asText().replace("inf", "Infinity").replace("nan", "NaN"))
        : (float) value.asDouble();
  }

  private static void assertNear(double got, double wanted, String what) {
    assertThat(Math.abs(got - wanted)).as("%s: %s, wanted %s", what, got, wanted).isLessThan(2e-4);
  }

  static Stream<Arguments> sampled() {
    return with("sample_distribution");
  }

  static Stream<Arguments> greedy() {
    return with("generate");
  }

  private static Stream<Arguments> with(String kind) {
    return GoldenModelTest.folders()
        .filter(folder -> !folder.casesOf(kind).isEmpty())
        .flatMap(folder -> Stream.of(With.values()).map(with -> Arguments.arguments(folder, with)));
  }
}
