package io.sirocco.sampling;

import static io.sirocco.sampling.GenerationKey.BAD_WORDS_IDS;
import static io.sirocco.sampling.GenerationKey.BEGIN_SUPPRESS_TOKENS;
import static io.sirocco.sampling.GenerationKey.EPSILON_CUTOFF;
import static io.sirocco.sampling.GenerationKey.ETA_CUTOFF;
import static io.sirocco.sampling.GenerationKey.EXPONENTIAL_DECAY_LENGTH_PENALTY;
import static io.sirocco.sampling.GenerationKey.FORCED_BOS_TOKEN_ID;
import static io.sirocco.sampling.GenerationKey.FORCED_EOS_TOKEN_ID;
import static io.sirocco.sampling.GenerationKey.MIN_P;
import static io.sirocco.sampling.GenerationKey.NO_REPEAT_NGRAM_SIZE;
import static io.sirocco.sampling.GenerationKey.REMOVE_INVALID_VALUES;
import static io.sirocco.sampling.GenerationKey.RENORMALIZE_LOGITS;
import static io.sirocco.sampling.GenerationKey.REPETITION_PENALTY;
import static io.sirocco.sampling.GenerationKey.SEQUENCE_BIAS;
import static io.sirocco.sampling.GenerationKey.SUPPRESS_TOKENS;
import static io.sirocco.sampling.GenerationKey.TEMPERATURE;
import static io.sirocco.sampling.GenerationKey.TOP_K;
import static io.sirocco.sampling.GenerationKey.TOP_P;
import static io.sirocco.sampling.GenerationKey.TYPICAL_P;

import java.util.ArrayList;
import java.util.List;

/**
 * What is done to the scores of one row's next token, in the reference's order: the processors
 * proper, then where something is sampled the warpers, then renormalisation. In float32, as there.
 * In a beam search the scores are log-probabilities.
 */
public final class ScoreProcessors {
  private final List<ScoreProcessor> processors = new ArrayList<>();
  private final List<Warper> warpers = new ArrayList<>();
  private final boolean renormalized;
  private final SamplingWorkspace workspace;

  private ScoreProcessors(
      GenerationSettings settings, int promptLength, SamplingWorkspace workspace) {
    this.workspace = workspace;
    this.renormalized = settings.get(RENORMALIZE_LOGITS).orElse(false);
    addProcessors(settings, promptLength);
    if (settings.doSample()) {
      addWarpers(settings);
    }
  }

  /**
   * For a row.
   *
   * @param promptLength ids of the row that are not generated, pads included where there are any
   * @param workspace shared by the rows of a thread
   */
  public static ScoreProcessors of(
      GenerationSettings settings, int promptLength, SamplingWorkspace workspace) {
    return new ScoreProcessors(settings, promptLength, workspace);
  }

  private void addProcessors(GenerationSettings settings, int promptLength) {
    List<Integer> eos = settings.eosTokenIds();
    settings.get(SEQUENCE_BIAS).map(SequenceBiases::of).ifPresent(processors::add);
    settings
        .get(REPETITION_PENALTY)
        .filter(penalty -> penalty != 1)
        .ifPresent(
            penalty -> processors.add(new Repetition.Penalty(penalty.floatValue(), workspace)));
    settings
        .get(NO_REPEAT_NGRAM_SIZE)
        .filter(size -> size > 0)
        .ifPresent(size -> processors.add(new Repetition.Ngrams(size, workspace)));
    settings
        .get(BAD_WORDS_IDS)
        .ifPresent(words -> processors.add(SequenceBiases.banning(words, eos)));
    int minLength = settings.minLength(promptLength);
    if (!eos.isEmpty() && minLength > promptLength) {
      processors.add(new Bans.Shortness(minLength, eos));
    }
    settings
        .get(FORCED_BOS_TOKEN_ID)
        .ifPresent(id -> processors.add(new Bans.Forced(1, List.of(id))));
    settings
        .get(FORCED_EOS_TOKEN_ID)
        .ifPresent(
            ids -> processors.add(new Bans.Forced(settings.maxLength(promptLength) - 1, ids)));
    if (settings.get(REMOVE_INVALID_VALUES).orElse(false)) {
      processors.add(new Bans.InvalidValues());
    }
    settings
        .get(EXPONENTIAL_DECAY_LENGTH_PENALTY)
        .ifPresent(
            decay ->
                processors.add(new Bans.Decay(decay.start() + promptLength, decay.factor(), eos)));
    addSuppressions(settings, promptLength);
  }

  private void addSuppressions(GenerationSettings settings, int promptLength) {
    settings
        .get(SUPPRESS_TOKENS)
        .filter(ids -> !ids.isEmpty())
        .ifPresent(ids -> processors.add(new Bans.Suppressed(ids)));
    boolean bosIsForced = promptLength <= 1 && settings.get(FORCED_BOS_TOKEN_ID).isPresent();
    int begin = bosIsForced ? promptLength + 1 : promptLength;
    settings
        .get(BEGIN_SUPPRESS_TOKENS)
        .filter(ids -> !ids.isEmpty())
        .ifPresent(ids -> processors.add(new Bans.SuppressedAtBegin(begin, ids)));
  }

  private void addWarpers(GenerationSettings settings) {
    int fewest = settings.numBeams() > 1 ? Math.max(2, 1 + settings.eosTokenIds().size()) : 1;
    settings
        .get(TEMPERATURE)
        .filter(temperature -> temperature != 1)
        .ifPresent(temperature -> warpers.add(new Warper.Temperature(temperature.floatValue())));
    settings
        .get(TOP_K)
        .filter(k -> k > 0)
        .ifPresent(k -> warpers.add(new Warper.TopK(Math.max(k, fewest))));
    settings.get(TOP_P).filter(p -> p < 1).ifPresent(p -> warpers.add(new Warper.TopP(p, fewest)));
    settings
        .get(MIN_P)
        .filter(p -> p > 0)
        .ifPresent(p -> warpers.add(new Warper.MinP(p.floatValue(), fewest)));
    settings
        .get(TYPICAL_P)
        .filter(p -> p < 1)
        .ifPresent(p -> warpers.add(new Warper.TypicalP(p.floatValue(), fewest, workspace)));
    settings
        .get(EPSILON_CUTOFF)
        .filter(cutoff -> cutoff > 0)
        .ifPresent(
            cutoff ->
                warpers.add(
                    new Warper.Cutoff(cutoff.floatValue(), Warper.Cutoff.Kind.EPSILON, fewest)));
    settings
        .get(ETA_CUTOFF)
        .filter(cutoff -> cutoff > 0)
        .ifPresent(
            cutoff ->
                warpers.add(
                    new Warper.Cutoff(cutoff.floatValue(), Warper.Cutoff.Kind.ETA, fewest)));
  }

  /** Whether {@link #apply} leaves everything as it is. */
  public boolean isNeutral() {
    return processors.isEmpty() && warpers.isEmpty() && !renormalized;
  }

  /**
   * Does all that the settings ask for.
   *
   * @param ids the row so far, prompt included, in its first {@code length} entries
   * @param scores [vocabulary] float32 logits (log-probabilities in a beam search), changed in
   *     place
   */
  public void apply(int[] ids, int length, float[] scores) {
    process(ids, length, scores);
    warp(scores);
    if (renormalized) {
      LogNormalizer normalizer = LogNormalizer.of(scores);
      for (int id = 0; id < scores.length; id++) {
        scores[id] = normalizer.logProbability(scores[id]);
      }
    }
  }

  /** Only what comes before the warpers: all that greedy decoding needs. */
  public void process(int[] ids, int length, float[] scores) {
    for (ScoreProcessor processor : processors) {
      processor.apply(ids, length, scores);
    }
  }

  private void warp(float[] scores) {
    if (warpers.isEmpty()) {
      return;
    }
    Candidates candidates = workspace.candidates();
    candidates.clear();
    candidates.collect(scores, 0);
    for (Warper warper : warpers) {
      warper.apply(candidates);
    }
    candidates.spread(scores);
  }
}
