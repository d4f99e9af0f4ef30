package io.sirocco.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The processors against plain versions of what the library's documentation says of them. */
class ProcessorsTest {
  private static final long SEED = 20250131;

  private final SamplingWorkspace workspace = new SamplingWorkspace();
  private final Random random = new Random(SEED);

  @Test
  void neutralSettingsCostNothing() {
    GenerationSettings greedy = resolve(GenerationOptions.none());
    assertThat(ScoreProcessors.of(greedy, 3, workspace).isNeutral()).isTrue();
    GenerationSettings sampled =
        resolve(sampling().with(GenerationKey.TOP_K, 0).with(GenerationKey.MIN_P, 0.0));
    assertThat(ScoreProcessors.of(sampled, 3, workspace).isNeutral()).isTrue();
    assertThat(ScoreProcessors.of(resolve(sampling()), 3, workspace).isNeutral()).isFalse();
  }

  @Test
  void greedyDecodingIgnoresTheSettingsOfSampling() {
    GenerationSettings settings =
        resolve(GenerationOptions.none().with(GenerationKey.TEMPERATURE, 0.1));
    float[] scores = scores(100, 3, 0.2);
    float[] before = scores.clone();
    ScoreProcessors.of(settings, 1, workspace).apply(new int[] {1}, 1, scores);
    assertThat(scores).isEqualTo(before);
  }

  @Test
  void samplingTakesTheFiftyBestByDefault() {
    float[] scores = scores(5000, 3, 0);
    ScoreProcessors.of(resolve(sampling()), 1, workspace).apply(new int[] {1}, 1, scores);
    assertThat(kept(scores)).hasSize(50);
  }

  @Test
  void topKIsThatOfASort() {
    for (int round = 0; round < 60; round++) {
      int size = 1 + random.nextInt(6000);
      float[] scores = scores(size, 1 + random.nextInt(4), 0.3);
      int k = 1 + random.nextInt(2 * size);
      float[] sorted = scores.clone();
      Arrays.sort(sorted);
      float least = sorted[Math.max(0, size - k)];
      Set<Integer> want = new HashSet<>();
      for (int id = 0; id < size; id++) {
        if (scores[id] >= least && scores[id] > Float.NEGATIVE_INFINITY) {
          want.add(id);
        }
      }
      float[] got = warped(scores, sampling().with(GenerationKey.TOP_K, k));
      assertThat(kept(got)).as("seed %d round %d", SEED, round).isEqualTo(want);
    }
  }

  @Test
  void topPKeepsWhatASortedCumulativeSumKeeps() {
    int equal = 0;
    for (int round = 0; round < 120; round++) {
      float[] scores = scores(2 + random.nextInt(6000), random.nextInt(5), 0.2);
      double p = random.nextInt(11) / 10.0;
      int fewest = 1 + random.nextInt(3);
      Integer[] order = ascending(scores, scores);
      float[] probabilities = softmax(scores);
      Set<Integer> want = new HashSet<>();
      double sum = 0;
      for (int at = 0; at < order.length; at++) {
        sum += probabilities[order[at]];
        if (p == 1 || (float) sum > (float) (1 - p) || at >= order.length - fewest) {
          want.add(order[at]);
        }
      }
      want.removeIf(id -> scores[id] == Float.NEGATIVE_INFINITY);
      float[] got = warped(scores, beams(fewest).with(GenerationKey.TOP_P, p));
      String what = "seed " + SEED + " round " + round;
      assertThat(scoresOf(got, kept(got))).as(what).isEqualTo(scoresOf(scores, want));
      equal += kept(got).equals(want) ? 0 : 1;
    }
    assertThat(equal).as("rows where others of several equal scores stay").isBetween(1, 60);
  }

  private static float[] scoresOf(float[] scores, Set<Integer> ids) {
    float[] some = new float[ids.size()];
    int at = 0;
    for (int id : ids) {
      some[at++] = scores[id] + 0f; // -0 and 0 are the same
    }
    Arrays.sort(some);
    return some;
  }

  /**
   * The order of equal scores is in the golden data; here that it is an order, whatever the row.
   */
  @Test
  void theBestOfARowAreTheBestHoweverManyAreEqual() {
    EqualScores sorted = new EqualScores();
    for (int round = 0; round < 200; round++) {
      float[] scores = scores(1 + random.nextInt(3000), random.nextInt(3), 0.2);
      if (round % 4 == 0) {
        makeQuicksortSlow(scores);
      }
      Candidates candidates = workspace.candidates();
      candidates.clear();
      candidates.collect(scores, 0);
      int most = 1 + random.nextInt(scores.length);
      Set<Integer> best = new HashSet<>();
      for (int id : sorted.best(candidates, scores.length, most)) {
        best.add(id);
      }
      Set<Integer> ids = new HashSet<>(IntStream.range(0, scores.length).boxed().toList());
      float[] all = scoresOf(scores, ids);
      assertThat(scoresOf(scores, best))
          .as("seed %d round %d", SEED, round)
          .isEqualTo(Arrays.copyOfRange(all, all.length - most, all.length));
    }
  }

  /** Musser's adversary of the median of three. */
  private static void makeQuicksortSlow(float[] scores) {
    int half = scores.length / 2;
    for (int at = 0; at < half; at++) {
      scores[at] = at % 2 == 0 ? at + 1 : half + at + at % 2;
      scores[half + at] = 2 * (at + 1);
    }
  }

  @Test
  void typicalPKeepsTheNearestToTheEntropy() {
    for (int round = 0; round < 120; round++) {
      float[] scores = scores(2 + random.nextInt(6000), random.nextInt(5), 0.2);
      double mass = (1 + random.nextInt(9)) / 10.0;
      int fewest = 1 + random.nextInt(3);
      LogNormalizer normalizer = LogNormalizer.of(scores);
      float[] probabilities = softmax(scores);
      double entropy = 0;
      for (int id = 0; id < scores.length; id++) {
        if (probabilities[id] > 0) {
          entropy -= normalizer.logProbability(scores[id]) * probabilities[id];
        }
      }
      float[] distances = new float[scores.length];
      for (int id = 0; id < scores.length; id++) {
        distances[id] = Math.abs(-normalizer.logProbability(scores[id]) - (float) entropy);
      }
      Integer[] order = ascending(distances, scores);
      int below = 0;
      double sum = 0;
      for (Integer id : order) {
        sum += probabilities[id];
        below += (float) sum < (float) mass ? 1 : 0;
      }
      float farthest = distances[order[Math.min(below, order.length - 1)]];
      Set<Integer> want = new HashSet<>();
      for (int at = 0; at < order.length; at++) {
        if (at < fewest || distances[order[at]] <= farthest) {
          want.add(order[at]);
        }
      }
      want.removeIf(id -> scores[id] == Float.NEGATIVE_INFINITY);
      float[] got = warped(scores, beams(fewest).with(GenerationKey.TYPICAL_P, mass));
      assertThat(kept(got)).as("seed %d round %d", SEED, round).isEqualTo(want);
    }
  }

  @Test
  void repeatedSequencesAreBannedAsASearchThroughAllOfThemFinds() {
    for (int round = 0; round < 400; round++) {
      int vocabulary = 1 + random.nextInt(4);
      int[] ids = random.ints(1 + random.nextInt(30), 0, vocabulary).toArray();
      int size = 1 + random.nextInt(6);
      Set<Integer> want = new HashSet<>(IntStream.range(0, vocabulary).boxed().toList());
      for (int at = 0; at + size <= ids.length; at++) {
        int last = ids.length - size + 1;
        if (Arrays.equals(ids, at, at + size - 1, ids, last, ids.length)) {
          want.remove(ids[at + size - 1]);
        }
      }
      float[] scores = new float[vocabulary];
      GenerationSettings settings =
          resolve(GenerationOptions.none().with(GenerationKey.NO_REPEAT_NGRAM_SIZE, size));
      ScoreProcessors.of(settings, 0, workspace).apply(ids, ids.length, scores);
      assertThat(kept(scores)).as("seed %d round %d", SEED, round).isEqualTo(want);
    }
  }

  @Test
  void aBiasedSequenceLongerThanTheRowIsLeftAlone() {
    GenerationSettings settings =
        resolve(
            GenerationOptions.none()
                .with(GenerationKey.SEQUENCE_BIAS, List.of(new SequenceBias(List.of(5, 6), 2.0))));
    ScoreProcessors processors = ScoreProcessors.of(settings, 1, workspace);
    float[] scores = new float[8];
    processors.apply(new int[] {5}, 1, scores);
    assertThat(scores[6]).isZero();
    processors.apply(new int[] {1, 5}, 2, scores);
    assertThat(scores[6]).isEqualTo(2);
  }

  @Test
  void theForcedEndComesAsTheLastTokenAllowed() {
    GenerationSettings settings =
        resolve(
            GenerationOptions.none()
                .with(GenerationKey.MAX_NEW_TOKENS, 2)
                .with(GenerationKey.FORCED_EOS_TOKEN_ID, List.of(3)));
    ScoreProcessors processors = ScoreProcessors.of(settings, 4, workspace);
    float[] scores = {1, 2, 3, 4};
    processors.apply(new int[6], 4, scores);
    assertThat(scores).containsExactly(1, 2, 3, 4);
    processors.apply(new int[6], 5, scores);
    assertThat(kept(scores)).containsExactly(3);
  }

  private static GenerationOptions sampling() {
    return GenerationOptions.none().with(GenerationKey.DO_SAMPLE, true);
  }

  /** At least {@code fewest} are kept: 1 without beams, 1 + end ids with them. */
  private static GenerationOptions beams(int fewest) {
    GenerationOptions options = sampling().with(GenerationKey.TOP_K, 0);
    return fewest == 1
        ? options
        : options
            .with(GenerationKey.NUM_BEAMS, 2)
            .with(GenerationKey.EOS_TOKEN_ID, IntStream.range(0, fewest - 1).boxed().toList());
  }

  private float[] warped(float[] scores, GenerationOptions options) {
    float[] warped = scores.clone();
    ScoreProcessors.of(resolve(options), 1, workspace).apply(new int[] {0}, 1, warped);
    return warped;
  }

  private static GenerationSettings resolve(GenerationOptions job) {
    return GenerationSettings.resolve(job, GenerationOptions.none());
  }

  /** Random scores: flat to peaked, some alike, a part of them minus infinity. */
  private float[] scores(int size, int scale, double masked) {
    float[] scores = new float[size];
    boolean alike = random.nextInt(3) == 0;
    for (int id = 0; id < size; id++) {
      double score = random.nextGaussian() * scale;
      scores[id] = (float) (alike ? Math.rint(score) : score);
      if (id > 0 && random.nextDouble() < masked) {
        scores[id] = Float.NEGATIVE_INFINITY;
      }
    }
    return scores;
  }

  /** Stable, so that of equal values the lower id comes first; masked scores as in the row. */
  private static Integer[] ascending(float[] values, float[] scores) {
    Integer[] order =
        IntStream.range(0, values.length)
            .filter(id -> scores[id] > Float.NEGATIVE_INFINITY)
            .boxed()
            .toArray(Integer[]::new);
    Arrays.sort(order, Comparator.comparingDouble(id -> values[id] + 0f));
    return order;
  }

  private static float[] softmax(float[] scores) {
    float max = Float.NEGATIVE_INFINITY;
    for (float score : scores) {
      max = Math.max(max, score);
    }
    float[] probabilities = new float[scores.length];
    double sum = 0;
    for (int id = 0; id < scores.length; id++) {
      probabilities[id] = FloatMath.exp(scores[id] - max);
      sum += probabilities[id];
    }
    for (int id = 0; id < scores.length; id++) {
      probabilities[id] /= (float) sum;
    }
    return probabilities;
  }

  private static Set<Integer> kept(float[] scores) {
    Set<Integer> kept = new HashSet<>();
    for (int id = 0; id < scores.length; id++) {
      if (scores[id] > Float.NEGATIVE_INFINITY) {
        kept.add(id);
      }
    }
    return kept;
  }
}
