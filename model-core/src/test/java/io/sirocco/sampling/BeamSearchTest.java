package io.sirocco.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Beam search over toy models, against a plain implementation and against all sequences there are.
 */
class BeamSearchTest {
  private static final long SEED = 99;

  private final SamplingWorkspace workspace = new SamplingWorkspace();

  /** Logits that depend on every id of the row, and favour an end the longer the row is. */
  private record Toy(long seed, int vocabulary, double scale) implements Function<int[], float[]> {
    @Override
    public float[] apply(int[] ids) {
      Random random = new Random(seed * 31 + Arrays.hashCode(ids));
      float[] logits = new float[vocabulary];
      for (int id = 0; id < vocabulary; id++) {
        logits[id] = (float) (random.nextGaussian() * scale);
      }
      logits[2] += 0.1f * ids.length;
      return logits;
    }
  }

  @Test
  void everyRowOfABatchIsFoundAsThePlainImplementationFindsIt() {
    Random random = new Random(SEED);
    Set<String> shapes = new HashSet<>();
    int ended = 0;
    for (int round = 0; round < 250; round++) {
      Toy model = new Toy(round, 12 + random.nextInt(40), 0.5 + 2 * random.nextDouble());
      GenerationSettings settings = randomSettings(random);
      int promptLength = 1 + random.nextInt(5);
      List<int[]> prompts = new ArrayList<>();
      for (int row = 0; row < 3; row++) {
        prompts.add(random.ints(promptLength, 0, model.vocabulary()).toArray());
      }
      List<List<ReferenceBeams.Answer>> want =
          new ReferenceBeams(settings, model, promptLength).search(prompts);
      for (int row = 0; row < prompts.size(); row++) {
        List<BeamHypothesis> got = run(settings, prompts.get(row), model, StopStrings.none());
        String what = "seed " + SEED + " round " + round + " row " + row;
        assertThat(got).as(what).hasSameSizeAs(want.get(row));
        for (int at = 0; at < got.size(); at++) {
          assertThat(list(got.get(at).ids())).as(what).isEqualTo(want.get(row).get(at).ids());
          assertThat(got.get(at).score()).as(what).isEqualTo(want.get(row).get(at).score());
          ended += got.get(at).finish() == FinishReason.STOP ? 1 : 0;
        }
        shapes.add(settings.earlyStopping() + " " + settings.lengthPenalty());
      }
    }
    assertThat(shapes).hasSize(12);
    assertThat(ended).isBetween(250, 2500);
  }

  private static GenerationSettings randomSettings(Random random) {
    int beams = 2 + random.nextInt(3);
    GenerationOptions options =
        GenerationOptions.none()
            .with(GenerationKey.NUM_BEAMS, beams)
            .with(GenerationKey.NUM_RETURN_SEQUENCES, 1 + random.nextInt(beams))
            .with(GenerationKey.MAX_NEW_TOKENS, 1 + random.nextInt(14))
            .with(GenerationKey.LENGTH_PENALTY, List.of(0.0, 1.0, -1.0, 2.0).get(random.nextInt(4)))
            .with(
                GenerationKey.EARLY_STOPPING,
                List.of(EarlyStopping.values()).get(random.nextInt(3)));
    int ends = random.nextInt(4);
    if (ends > 0) {
      options = options.with(GenerationKey.EOS_TOKEN_ID, List.of(2, 5, 7).subList(0, ends));
    }
    if (random.nextInt(3) == 0) {
      options = options.with(GenerationKey.REPETITION_PENALTY, 1.3);
    }
    if (random.nextInt(3) == 0) {
      options = options.with(GenerationKey.NO_REPEAT_NGRAM_SIZE, 2);
    }
    if (random.nextInt(4) == 0) {
      options = options.with(GenerationKey.MIN_NEW_TOKENS, 3);
    }
    return GenerationSettings.resolve(options, GenerationOptions.none());
  }

  @Test
  void withABeamForEverySequenceTheBestOfAllIsFound() {
    for (int round = 0; round < 40; round++) {
      Toy model = new Toy(round, 4, 2);
      GenerationSettings settings =
          GenerationSettings.resolve(
              GenerationOptions.none()
                  .with(GenerationKey.NUM_BEAMS, 64)
                  .with(GenerationKey.MAX_NEW_TOKENS, 4)
                  .with(GenerationKey.LENGTH_PENALTY, 0.0)
                  .with(GenerationKey.EARLY_STOPPING, EarlyStopping.NEVER)
                  .with(GenerationKey.EOS_TOKEN_ID, List.of(2)),
              GenerationOptions.none());
      int[] prompt = {1, 3};
      Map<List<Integer>, Double> all = new HashMap<>();
      enumerate(model, prompt, prompt.length, 0, all);
      Map.Entry<List<Integer>, Double> want =
          all.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow();
      BeamHypothesis got = run(settings, prompt, model, StopStrings.none()).get(0);
      assertThat(list(got.ids())).as("round %d", round).isEqualTo(want.getKey());
      assertThat((double) got.score()).isCloseTo(want.getValue(), within(1e-5));
    }
  }

  private static void enumerate(
      Toy model, int[] ids, int prompt, double sum, Map<List<Integer>, Double> all) {
    float[] logits = model.apply(ids);
    LogNormalizer normalizer = LogNormalizer.of(logits);
    for (int id = 0; id < logits.length; id++) {
      int[] longer = Arrays.copyOf(ids, ids.length + 1);
      longer[ids.length] = id;
      double score = sum + normalizer.logProbability(logits[id]);
      if (id == 2 || longer.length == prompt + 4) {
        all.put(list(Arrays.copyOfRange(longer, prompt, longer.length)), score);
      } else {
        enumerate(model, longer, prompt, score, all);
      }
    }
  }

  @Test
  void anEndAsTheLastTokenAllowedIsAnEnd() {
    float[] logits = {0, 0, 9, 0, 0, 0};
    List<BeamHypothesis> got =
        run(settings(2, 1, List.of(2)), new int[] {1}, ids -> logits, StopStrings.none());
    assertThat(got.get(0).ids()).containsExactly(2);
    assertThat(got.get(0).finish()).isEqualTo(FinishReason.STOP);
    assertThat(got.get(1).finish()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void hypothesesCarryTheModelsOwnLogProbabilities() {
    Toy model = new Toy(3, 20, 2);
    GenerationSettings settings =
        GenerationSettings.resolve(
            GenerationOptions.none()
                .with(GenerationKey.NUM_BEAMS, 3)
                .with(GenerationKey.MAX_NEW_TOKENS, 8)
                .with(GenerationKey.REPETITION_PENALTY, 1.5),
            GenerationOptions.none());
    int[] prompt = {4, 5};
    BeamHypothesis got = run(settings, prompt, model, StopStrings.none()).get(0);
    int[] ids = prompt;
    for (int at = 0; at < got.ids().length; at++) {
      float[] logits = model.apply(ids);
      assertThat(got.logProbabilities()[at])
          .isEqualTo(LogNormalizer.of(logits).logProbability(logits[got.ids()[at]]));
      ids = Arrays.copyOf(ids, ids.length + 1);
      ids[ids.length - 1] = got.ids()[at];
    }
  }

  @Test
  void aStopStringEndsAHypothesis() {
    String[] texts = {"x", "y", "a", "b", " ", "z"};
    StopStrings stops =
        StopStrings.of(List.of("ab"), id -> texts[id].getBytes(StandardCharsets.UTF_8));
    Function<int[], float[]> model =
        ids -> {
          float[] logits = new float[6];
          logits[ids[ids.length - 1] == 2 ? 3 : 2] = 5;
          return logits;
        };
    BeamHypothesis got = run(settings(2, 6, List.of()), new int[] {1}, model, stops).get(0);
    assertThat(got.ids()).containsExactly(2, 3);
    assertThat(got.finish()).isEqualTo(FinishReason.STOP_STRING);
  }

  @Test
  void sampledBeamsDependOnSeedAndRowAlone() {
    Toy model = new Toy(8, 30, 1);
    Set<List<Integer>> found = new HashSet<>();
    for (int row = 0; row < 40; row++) {
      List<BeamHypothesis> first = sampled(model, "row " + row);
      List<BeamHypothesis> again = sampled(model, "row " + row);
      assertThat(first).hasSize(2);
      for (int at = 0; at < 2; at++) {
        assertThat(first.get(at).ids()).isEqualTo(again.get(at).ids());
        assertThat(first.get(at).score()).isEqualTo(again.get(at).score());
      }
      found.add(list(first.get(0).ids()));
    }
    assertThat(found).hasSizeGreaterThan(20);
  }

  private List<BeamHypothesis> sampled(Toy model, String row) {
    GenerationSettings settings =
        GenerationSettings.resolve(
            GenerationOptions.none()
                .with(GenerationKey.DO_SAMPLE, true)
                .with(GenerationKey.NUM_BEAMS, 2)
                .with(GenerationKey.NUM_RETURN_SEQUENCES, 2)
                .with(GenerationKey.MAX_NEW_TOKENS, 6)
                .with(GenerationKey.EOS_TOKEN_ID, List.of(2)),
            GenerationOptions.none());
    return run(settings, new int[] {1}, model, StopStrings.none(), UniformDraws.of(1, row));
  }

  /** With one step the returned beams are the drawn candidates: an ordered draw of two. */
  @Test
  void candidatesAreDrawnWithoutReplacementByTheirProbability() {
    double[] probabilities = {0.5, 0.3, 0.15, 0.05};
    float[] logits = new float[4];
    for (int id = 0; id < 4; id++) {
      logits[id] = (float) Math.log(probabilities[id]);
    }
    GenerationSettings settings =
        GenerationSettings.resolve(
            GenerationOptions.none()
                .with(GenerationKey.DO_SAMPLE, true)
                .with(GenerationKey.NUM_BEAMS, 2)
                .with(GenerationKey.NUM_RETURN_SEQUENCES, 2)
                .with(GenerationKey.MAX_NEW_TOKENS, 1),
            GenerationOptions.none());
    int rounds = 20_000;
    int[] counts = new int[4];
    for (int round = 0; round < rounds; round++) {
      UniformDraws draws = UniformDraws.of(round, "row");
      for (BeamHypothesis one :
          run(settings, new int[] {1}, ids -> logits, StopStrings.none(), draws)) {
        counts[one.ids()[0]]++;
      }
    }
    for (int id = 0; id < 4; id++) {
      double drawn = probabilities[id];
      for (int other = 0; other < 4; other++) {
        drawn +=
            other == id ? 0 : probabilities[other] * probabilities[id] / (1 - probabilities[other]);
      }
      assertThat((double) counts[id] / rounds).as("id %d", id).isCloseTo(drawn, within(0.02));
    }
  }

  @Test
  void noTokenLeftIsAnErrorOfTheRow() {
    float[] logits = {0, 0, 0, 0};
    GenerationSettings settings =
        GenerationSettings.resolve(
            GenerationOptions.none()
                .with(GenerationKey.NUM_BEAMS, 2)
                .with(GenerationKey.SUPPRESS_TOKENS, List.of(0, 1, 2, 3)),
            GenerationOptions.none());
    assertThatThrownBy(() -> run(settings, new int[] {1}, ids -> logits, StopStrings.none()))
        .isInstanceOf(GenerationException.class)
        .hasMessageContaining("forbids all ids");
  }

  @Test
  void aPromptThatFillsMaxLengthIsAnErrorOfTheRow() {
    GenerationSettings settings =
        GenerationSettings.resolve(
            GenerationOptions.none()
                .with(GenerationKey.NUM_BEAMS, 2)
                .with(GenerationKey.MAX_LENGTH, 3),
            GenerationOptions.none());
    assertThatThrownBy(
            () -> run(settings, new int[] {1, 1, 1}, ids -> new float[4], StopStrings.none()))
        .isInstanceOf(GenerationException.class)
        .hasMessageContaining("max_length is 3");
  }

  private static GenerationSettings settings(int beams, int newTokens, List<Integer> ends) {
    return GenerationSettings.resolve(
        GenerationOptions.none()
            .with(GenerationKey.NUM_BEAMS, beams)
            .with(GenerationKey.NUM_RETURN_SEQUENCES, beams)
            .with(GenerationKey.MAX_NEW_TOKENS, newTokens)
            .with(GenerationKey.EOS_TOKEN_ID, ends),
        GenerationOptions.none());
  }

  private List<BeamHypothesis> run(
      GenerationSettings settings,
      int[] prompt,
      Function<int[], float[]> model,
      StopStrings stops) {
    return run(settings, prompt, model, stops, UniformDraws.of(settings.seed(), "row"));
  }

  /** The engine's loop: rows of tokens instead of KV caches, reordered by the steps' parents. */
  private List<BeamHypothesis> run(
      GenerationSettings settings,
      int[] prompt,
      Function<int[], float[]> model,
      StopStrings stops,
      UniformDraws draws) {
    BeamSearch search =
        new BeamSearch(settings, prompt, new BeamSearch.Context(draws, stops, workspace));
    List<int[]> rows = List.of(prompt);
    while (!search.isDone()) {
      assertThat(search.activeBeams()).isEqualTo(rows.size());
      BeamSearch.Step step = search.advance(rows.stream().map(model).toArray(float[][]::new));
      List<int[]> next = new ArrayList<>();
      for (int beam = 0; beam < step.tokens().length; beam++) {
        int[] parent = rows.get(step.parents()[beam]);
        int[] row = Arrays.copyOf(parent, parent.length + 1);
        row[parent.length] = step.tokens()[beam];
        next.add(row);
      }
      rows = next;
    }
    assertThat(search.activeBeams()).isZero();
    return search.results();
  }

  private static List<Integer> list(int[] ids) {
    return IntStream.of(ids).boxed().toList();
  }
}
