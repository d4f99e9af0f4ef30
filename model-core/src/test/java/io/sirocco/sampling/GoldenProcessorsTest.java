package io.sirocco.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What transformers' processors do to fixed score rows, alone and in chains: 56 cases, 5 rows. */
class GoldenProcessorsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** This repository's copy: every case, without the probabilities. */
  private static final Path OWN = Path.of("src/test/resources/golden/processors.json");

  /** Beside the repository; absent in a plain clone. */
  private static final Path SHARED = Path.of("../../shared/golden/processors.json");

  private static final double TOLERANCE = 2e-4;
  private static final int ROWS = 56 * 5;

  private final SamplingWorkspace workspace = new SamplingWorkspace();

  @Test
  void allCasesGiveTheReferenceScores() throws IOException {
    assertThat(check(JSON.readTree(OWN.toFile()))).isEqualTo(ROWS);
  }

  @Test
  void allSharedCasesGiveTheReferenceScoresAndProbabilities() throws IOException {
    assumeTrue(Files.exists(SHARED), () -> "skipped: there is no " + SHARED.toAbsolutePath());
    assertThat(check(JSON.readTree(SHARED.toFile()))).isEqualTo(ROWS);
  }

  private int check(JsonNode file) {
    int rows = 0;
    for (JsonNode golden : file.path("cases")) {
      GenerationSettings settings = settings(golden, file.path("eos_token_id"));
      int promptLength = golden.path("prompt_length").asInt();
      ScoreProcessors processors = ScoreProcessors.of(settings, promptLength, workspace);
      for (int row = 0; row < file.path("scores").size(); row++, rows++) {
        float[] scores = floats(file.path("scores").get(row));
        int[] ids = JSON.convertValue(golden.path("input_ids").get(row), int[].class);
        processors.apply(ids, ids.length, scores);
        String what = golden.path("name").asText() + " row " + row;
        assertClose(what, scores, floats(golden.path("expected").get(row)));
        if (golden.has("probabilities")) {
          JsonNode probabilities = golden.path("probabilities").get(row);
          assertClose(what, probabilities(scores), floats(probabilities));
        }
      }
    }
    return rows;
  }

  /** Warpers apply where something is sampled; that many are kept with two beams. */
  private static GenerationSettings settings(JsonNode golden, JsonNode eos) {
    GenerationOptions options =
        GenerationOptions.none()
            .with(GenerationKey.DO_SAMPLE, true)
            .with(GenerationKey.TOP_K, 0)
            .with(GenerationKey.NUM_BEAMS, golden.path("min_tokens_to_keep").asInt() == 1 ? 1 : 2)
            .withJson(GenerationKey.EOS_TOKEN_ID, eos);
    for (Map.Entry<String, JsonNode> setting : golden.path("settings").properties()) {
      options = with(options, setting.getKey(), setting.getValue());
    }
    return GenerationSettings.resolve(options, GenerationOptions.none());
  }

  private static GenerationOptions with(GenerationOptions options, String key, JsonNode value) {
    return switch (key) {
      case "sequence_bias" -> options.with(GenerationKey.SEQUENCE_BIAS, biases(value));
      case "forced_eos_token_id" ->
          options
              .withJson(GenerationKey.MAX_LENGTH, value.get("max_length"))
              .withJson(GenerationKey.FORCED_EOS_TOKEN_ID, value.get("ids"));
      default -> options.withJson(key(key), value);
    };
  }

  /** Not read as JSON: an infinite bias is a string here. */
  private static List<SequenceBias> biases(JsonNode value) {
    List<SequenceBias> biases = new ArrayList<>();
    for (JsonNode pair : value) {
      Integer[] ids = JSON.convertValue(pair.get(0), Integer[].class);
      biases.add(new SequenceBias(List.of(ids), number(pair.get(1))));
    }
    return biases;
  }

  private static GenerationKey<?> key(String name) {
    return GenerationKey.all().stream()
        .filter(key -> key.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static float[] probabilities(float[] scores) {
    LogNormalizer normalizer = LogNormalizer.of(scores);
    float[] probabilities = new float[scores.length];
    for (int id = 0; id < scores.length; id++) {
      probabilities[id] = FloatMath.exp(normalizer.logProbability(scores[id]));
    }
    return probabilities;
  }

  private static void assertClose(String what, float[] got, float[] want) {
    assertThat(got).as(what).hasSameSizeAs(want);
    for (int id = 0; id < want.length; id++) {
      if (Float.isNaN(want[id])) {
        assertThat(got[id]).as("%s id %d", what, id).isNaN();
      } else if (Float.isFinite(want[id])) {
        double tolerance = TOLERANCE + TOLERANCE * Math.abs(want[id]);
        assertThat(Math.abs((double) got[id] - want[id]))
            .as("%s id %d: %s for %s", what, id, got[id], want[id])
            .isLessThanOrEqualTo(tolerance);
      } else {
        assertThat(got[id]).as("%s id %d", what, id).isEqualTo(want[id]);
      }
    }
  }

  private static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    for (int at = 0; at < values.length; at++) {
      values[at] = (float) number(array.get(at));
    }
    return values;
  }

  private static double number(JsonNode node) {
    return switch (node.asText()) {
      case "inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      case "nan" -> Double.NaN;
      default -> node.asDouble();
    };
  }
}
