package io.sirocco.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Greedy choice, sampling, the random numbers behind it, and log-probabilities. */
class TokenChoiceTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden/causal-nemo/cases.json");

  private final SamplingWorkspace workspace = new SamplingWorkspace();

  @Test
  void theFirstOfTheLargestIsTakenAndNotANumberIsLargest() {
    assertThat(TokenChoice.greedy(new float[] {1, 3, 2, 3})).isEqualTo(1);
    assertThat(TokenChoice.greedy(new float[] {1, 3, Float.NaN, Float.NaN})).isEqualTo(2);
    assertThat(TokenChoice.greedy(new float[] {Float.NEGATIVE_INFINITY, -5})).isEqualTo(1);
  }

  @Test
  void samplingFrequenciesConvergeToTheProbabilities() {
    float[] scores = {1, Float.NEGATIVE_INFINITY, 0, 2.5f, -1, 2.5f, -30};
    double sum = 0;
    for (float score : scores) {
      sum += Math.exp(score);
    }
    int draws = 200_000;
    int[] counts = new int[scores.length];
    UniformDraws uniform = UniformDraws.of(7, "row");
    for (int step = 0; step < draws; step++) {
      counts[TokenChoice.sample(scores, uniform.at(0, step), workspace)]++;
    }
    for (int id = 0; id < scores.length; id++) {
      double probability = Math.exp(scores[id]) / sum;
      double fiveDeviations = 5 * Math.sqrt(probability * (1 - probability) / draws);
      assertThat((double) counts[id] / draws)
          .as("id %d", id)
          .isCloseTo(probability, within(fiveDeviations + 1e-9));
    }
  }

  @Test
  void theNumberDecidesInTheOrderOfIds() {
    float[] scores = {(float) Math.log(0.25), Float.NEGATIVE_INFINITY, (float) Math.log(0.75)};
    assertThat(TokenChoice.sample(scores, 0, workspace)).isEqualTo(0);
    assertThat(TokenChoice.sample(scores, 0.2499, workspace)).isEqualTo(0);
    assertThat(TokenChoice.sample(scores, 0.2501, workspace)).isEqualTo(2);
    assertThat(TokenChoice.sample(scores, 1 - 0x1p-53, workspace)).isEqualTo(2);
  }

  @Test
  void scoresThatAreNoDistributionAreRefused() {
    float none = Float.NEGATIVE_INFINITY;
    assertThatThrownBy(() -> TokenChoice.sample(new float[] {none, none}, 0.5, workspace))
        .isInstanceOf(GenerationException.class)
        .hasMessageContaining("forbids all ids");
    assertThatThrownBy(() -> TokenChoice.sample(new float[] {1, Float.NaN}, 0.5, workspace))
        .isInstanceOf(GenerationException.class)
        .hasMessageContaining("not a number");
    assertThatThrownBy(
            () -> TokenChoice.sample(new float[] {1, Float.POSITIVE_INFINITY}, 0.5, workspace))
        .isInstanceOf(GenerationException.class);
  }

  /** Computed with another implementation of SHA-256: the format must not change. */
  @Test
  void theRandomNumbersAreThoseOfTheFormat() {
    assertThat(UniformDraws.of(0, "").at(0, 0)).isEqualTo(0x1.227cc94075be6p-2);
    assertThat(UniformDraws.of(-3, "row-17").at(2, 5)).isEqualTo(0x1.c460aefaecf3cp-3);
    assertThat(UniformDraws.of(Long.MAX_VALUE, "ключ").at(0, 1_000_000))
        .isEqualTo(0x1.6df1028403a6cp-3);
  }

  @Test
  void aRandomNumberDependsOnSeedRowSampleAndStepAlone() {
    UniformDraws draws = UniformDraws.of(1, "a");
    double first = draws.at(0, 0);
    draws.at(3, 9);
    assertThat(draws.at(0, 0)).isEqualTo(first);
    assertThat(UniformDraws.of(1, "a").at(0, 0)).isEqualTo(first);
    assertThat(UniformDraws.of(2, "a").at(0, 0)).isNotEqualTo(first);
    assertThat(UniformDraws.of(1, "b").at(0, 0)).isNotEqualTo(first);
    assertThat(draws.at(1, 0)).isNotEqualTo(first).isNotEqualTo(draws.at(0, 1));
  }

  @Test
  void randomNumbersAreUniform() {
    UniformDraws draws = UniformDraws.of(5, "row");
    int[] counts = new int[16];
    for (int step = 0; step < 160_000; step++) {
      counts[(int) (16 * draws.at(step % 7, step))]++;
    }
    for (int count : counts) {
      assertThat(count).isCloseTo(10_000, within(500));
    }
  }

  @Test
  void probabilitiesAreThoseOfTheReference() throws IOException {
    int checked = 0;
    for (JsonNode golden : new ObjectMapper().readTree(GOLDEN.toFile()).path("cases")) {
      if (!golden.path("kind").asText().equals("sample_distribution")) {
        continue;
      }
      JsonNode scores = golden.path("scores").get(0);
      float[] row = new float[scores.size()];
      for (int id = 0; id < row.length; id++) {
        boolean masked = scores.get(id).isTextual();
        row[id] = masked ? Float.NEGATIVE_INFINITY : (float) scores.get(id).asDouble();
      }
      Candidates candidates = workspace.candidates();
      candidates.clear();
      candidates.collect(row, 0);
      candidates.computeProbabilities();
      int at = 0;
      for (int id = 0; id < row.length; id++) {
        double want = golden.path("probabilities").get(0).get(id).asDouble();
        boolean drawn = at < candidates.count() && candidates.id(at) == id;
        double got = drawn ? candidates.probability(at++) : 0;
        assertThat(got).isCloseTo(want, within(1e-6 * want));
      }
      checked++;
    }
    assertThat(checked).isEqualTo(4);
  }

  @Test
  void logProbabilitiesAreThoseOfTheDistribution() {
    float[] logits = {0.5f, -2, 3, Float.NEGATIVE_INFINITY};
    double sum = Math.exp(0.5) + Math.exp(-2) + Math.exp(3);
    LogNormalizer normalizer = LogNormalizer.of(logits);
    assertThat((double) normalizer.logProbability(-2)).isCloseTo(-2 - Math.log(sum), within(1e-6));
    assertThat(normalizer.logProbability(logits[3])).isEqualTo(Float.NEGATIVE_INFINITY);
  }

  @Test
  void theExponentialIsWithinAUnitInTheLastPlace() {
    Random random = new Random(3);
    for (int round = 0; round < 200_000; round++) {
      float x = (float) (random.nextDouble() * 192 - 104);
      float want = (float) StrictMath.exp(x);
      assertThat(Math.abs(FloatMath.exp(x) - want))
          .as("exp(%s)", x)
          .isLessThanOrEqualTo(Math.ulp(want));
    }
    assertThat(FloatMath.exp(0)).isEqualTo(1);
    assertThat(FloatMath.exp(Float.NEGATIVE_INFINITY)).isZero();
    assertThat(FloatMath.exp(Float.POSITIVE_INFINITY)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(FloatMath.exp(100)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(FloatMath.exp(Float.NaN)).isNaN();
  }
}
