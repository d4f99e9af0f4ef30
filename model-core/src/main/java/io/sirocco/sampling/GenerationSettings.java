package io.sirocco.sampling;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The settings generation runs with: each from the job, else from the model's
 * generation_config.json, else the default. Immutable; checked when made.
 */
public final class GenerationSettings implements Serializable {
  private static final long serialVersionUID = 1L;

  private final GenerationOptions values;
  private final TreeMap<String, Origin> origins;

  private GenerationSettings(GenerationOptions values, Map<String, Origin> origins) {
    this.values = values;
    this.origins = new TreeMap<>(origins);
  }

  /**
   * Merges key by key, as the library does: a max_new_tokens of the model takes precedence even
   * over a max_length of the job.
   */
  public static GenerationSettings resolve(GenerationOptions job, GenerationOptions model) {
    refuseTwoCounts(job);
    GenerationOptions merged = GenerationOptions.none();
    Map<String, Origin> origins = new TreeMap<>();
    for (GenerationKey<?> key : GenerationKey.all()) {
      merged = merge(key, job, model, merged, origins);
    }
    if (!merged.has(GenerationKey.MAX_NEW_TOKENS) && !merged.has(GenerationKey.MAX_LENGTH)) {
      merged = merged.with(GenerationKey.MAX_NEW_TOKENS, GenerationKey.DEFAULT_NEW_TOKENS);
      origins.put(GenerationKey.MAX_NEW_TOKENS.name(), Origin.DEFAULT);
    }
    GenerationSettings settings = new GenerationSettings(merged, origins);
    new SettingRules(settings).check();
    return settings;
  }

  private static <T> GenerationOptions merge(
      GenerationKey<T> key,
      GenerationOptions job,
      GenerationOptions model,
      GenerationOptions into,
      Map<String, Origin> origins) {
    Optional<T> inJob = job.get(key);
    Optional<T> inModel = key.ofModels() ? model.get(key) : Optional.empty();
    Optional<T> value = inJob.or(() -> inModel).or(key::fallback);
    if (value.isEmpty()) {
      return into;
    }
    Origin given = inModel.isPresent() ? Origin.MODEL : Origin.DEFAULT;
    origins.put(key.name(), inJob.isPresent() ? Origin.JOB : given);
    return into.with(key, value.get());
  }

  private static void refuseTwoCounts(GenerationOptions job) {
    Optional<Integer> n = job.get(GenerationKey.N);
    Optional<Integer> returns = job.get(GenerationKey.NUM_RETURN_SEQUENCES);
    if (n.isPresent() && returns.isPresent() && !n.equals(returns)) {
      throw new InvalidSettingException(
          GenerationKey.N.name(),
          n.get(),
          "the same as num_return_sequences, which is " + returns.get() + "; give one of them");
    }
  }

  /** The value of a setting, if it has one. */
  public <T> Optional<T> get(GenerationKey<T> key) {
    return values.get(key);
  }

  /** Of a setting that has a default. */
  private <T> T value(GenerationKey<T> key) {
    return values.get(key).orElseThrow();
  }

  Origin origin(GenerationKey<?> key) {
    return origins.getOrDefault(key.name(), Origin.DEFAULT);
  }

  /** Every setting that has a value, in the order of {@link GenerationKey#all()}. */
  public List<EffectiveSetting> effective() {
    List<EffectiveSetting> effective = new ArrayList<>();
    for (GenerationKey<?> key : GenerationKey.all()) {
      get(key)
          .ifPresent(
              value ->
                  effective.add(
                      new EffectiveSetting(
                          key.name(), InvalidSettingException.shown(value), origin(key))));
    }
    return List.copyOf(effective);
  }

  /** Settings that somebody gave and that have no effect beside the others, as sentences. */
  public List<String> withoutEffect() {
    return List.copyOf(new SettingRules(this).withoutEffect());
  }

  /**
   * Refuses settings that name ids the model does not have, and more end ids than it has ids.
   * Suppressed ids and end ids outside the vocabulary have no effect, as in the library.
   */
  public void checkVocabulary(int vocabularySize) {
    get(GenerationKey.SEQUENCE_BIAS)
        .ifPresent(
            biases ->
                biases.forEach(
                    bias -> within(GenerationKey.SEQUENCE_BIAS, bias.ids(), vocabularySize)));
    get(GenerationKey.BAD_WORDS_IDS)
        .ifPresent(
            words ->
                words.forEach(word -> within(GenerationKey.BAD_WORDS_IDS, word, vocabularySize)));
    get(GenerationKey.FORCED_EOS_TOKEN_ID)
        .ifPresent(ids -> within(GenerationKey.FORCED_EOS_TOKEN_ID, ids, vocabularySize));
    get(GenerationKey.FORCED_BOS_TOKEN_ID)
        .ifPresent(id -> within(GenerationKey.FORCED_BOS_TOKEN_ID, List.of(id), vocabularySize));
    if (get(GenerationKey.EXPONENTIAL_DECAY_LENGTH_PENALTY).isPresent()) {
      within(GenerationKey.EOS_TOKEN_ID, eosTokenIds(), vocabularySize);
    }
    if (eosTokenIds().size() >= vocabularySize) {
      throw new InvalidSettingException(
          GenerationKey.EOS_TOKEN_ID.name(),
          eosTokenIds().size() + " ids",
          "fewer than the model's vocabulary has: " + vocabularySize);
    }
  }

  private void within(GenerationKey<?> key, List<Integer> ids, int vocabularySize) {
    for (int id : ids) {
      if (id >= vocabularySize) {
        throw new InvalidSettingException(
            key.name(),
            "id " + id + " (from " + origin(key) + ")",
            "ids below the model's vocabulary size " + vocabularySize);
      }
    }
  }

  /**
   * How many tokens a row with this prompt may get: max_new_tokens, else max_length less the
   * prompt, wherever the max_length came from.
   *
   * @throws GenerationException if max_length leaves no room
   */
  public int maxNewTokens(int promptLength) {
    Optional<Integer> given = get(GenerationKey.MAX_NEW_TOKENS);
    if (given.isPresent()) {
      return given.get();
    }
    int maxLength = value(GenerationKey.MAX_LENGTH);
    if (promptLength >= maxLength) {
      throw new GenerationException(
          "the prompt has "
              + promptLength
              + " tokens and max_length is "
              + maxLength
              + ", expected room for at least one new token; raise max_length or use"
              + " max_new_tokens, which does not count the prompt");
    }
    return maxLength - promptLength;
  }

  /** Prompt and new tokens. */
  int maxLength(int promptLength) {
    return Math.addExact(promptLength, maxNewTokens(promptLength));
  }

  /** Prompt and new tokens below which no end-of-sequence id may come. */
  int minLength(int promptLength) {
    return get(GenerationKey.MIN_NEW_TOKENS)
        .map(tokens -> Math.addExact(promptLength, tokens))
        .orElseGet(() -> value(GenerationKey.MIN_LENGTH));
  }

  public boolean doSample() {
    return value(GenerationKey.DO_SAMPLE);
  }

  /** 1: no beam search. */
  public int numBeams() {
    return value(GenerationKey.NUM_BEAMS);
  }

  public double lengthPenalty() {
    return value(GenerationKey.LENGTH_PENALTY);
  }

  public EarlyStopping earlyStopping() {
    return value(GenerationKey.EARLY_STOPPING);
  }

  /** Answers of a row: n, else num_return_sequences. */
  public int samples() {
    return value(samplesKey());
  }

  GenerationKey<Integer> samplesKey() {
    return values.has(GenerationKey.N) ? GenerationKey.N : GenerationKey.NUM_RETURN_SEQUENCES;
  }

  public long seed() {
    return value(GenerationKey.SEED);
  }

  public List<String> stopStrings() {
    return get(GenerationKey.STOP_STRINGS).orElse(List.of());
  }

  /** The ids that end a row; none under ignore_eos. */
  public List<Integer> eosTokenIds() {
    return value(GenerationKey.IGNORE_EOS)
        ? List.of()
        : get(GenerationKey.EOS_TOKEN_ID).orElse(List.of());
  }

  public boolean isEos(int id) {
    return eosTokenIds().contains(id);
  }

  /** What the library puts behind a row that ended: the pad id, else the first end id. */
  public OptionalInt padTokenId() {
    return get(GenerationKey.PAD_TOKEN_ID)
        .or(() -> eosTokenIds().stream().findFirst())
        .map(OptionalInt::of)
        .orElse(OptionalInt.empty());
  }

  /**
   * What the library puts behind a beam's hypothesis that is shorter than another: the pad id, but
   * the first end id if the pad id is 0 (which counts as not set there), and -1 if there is no end
   * id. Our hypotheses carry no such filling; this is for comparing with padded ones.
   */
  public int beamFillId() {
    if (eosTokenIds().isEmpty()) {
      return -1;
    }
    int pad = padTokenId().orElse(0);
    return pad != 0 ? pad : eosTokenIds().get(0);
  }
}
