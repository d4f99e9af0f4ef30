package io.sirocco.sampling;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The settings of generation, by the names they have in generation_config.json, with the values
 * they take and those they have when nobody gives one. Those of sampling are checked only where
 * something is sampled, as in the library.
 */
public final class GenerationKey<T> {
  /** More than any row holds, and the sum of two still is an int. */
  static final int MOST_TOKENS = 1_000_000_000;

  /** New tokens of a row when neither the job nor the model says; the library's 20 is a demo. */
  public static final int DEFAULT_NEW_TOKENS = 256;

  private static final int MOST_BEAMS = 1024;
  private static final int MOST_SAMPLES = 65_536;

  private static final Map<String, GenerationKey<?>> BY_NAME = new LinkedHashMap<>();

  public static final GenerationKey<Integer> MAX_NEW_TOKENS =
      model("max_new_tokens", ValueType.integer(1, MOST_TOKENS));

  /** Counts the prompt. */
  public static final GenerationKey<Integer> MAX_LENGTH =
      model("max_length", ValueType.integer(1, MOST_TOKENS));

  public static final GenerationKey<Integer> MIN_NEW_TOKENS =
      model("min_new_tokens", ValueType.integer(0, MOST_TOKENS));

  /** Counts the prompt. */
  public static final GenerationKey<Integer> MIN_LENGTH =
      model("min_length", ValueType.integer(0, MOST_TOKENS), 0);

  public static final GenerationKey<Boolean> DO_SAMPLE =
      model("do_sample", ValueType.flag(), false);
  public static final GenerationKey<Double> TEMPERATURE =
      model("temperature", ValueType.number("a number", any -> true), 1.0);

  /** 0 takes all. */
  public static final GenerationKey<Integer> TOP_K = model("top_k", ValueType.anyInteger(), 50);

  public static final GenerationKey<Double> TOP_P =
      model("top_p", ValueType.number("a number", any -> true), 1.0);
  public static final GenerationKey<Double> MIN_P =
      model("min_p", ValueType.number("a number", any -> true), 0.0);
  public static final GenerationKey<Double> TYPICAL_P =
      model("typical_p", ValueType.number("a number", any -> true), 1.0);
  public static final GenerationKey<Double> EPSILON_CUTOFF =
      model("epsilon_cutoff", ValueType.number("a number", any -> true), 0.0);
  public static final GenerationKey<Double> ETA_CUTOFF =
      model("eta_cutoff", ValueType.number("a number", any -> true), 0.0);
  public static final GenerationKey<Double> REPETITION_PENALTY =
      model("repetition_penalty", ValueType.number("a number above 0", p -> p > 0), 1.0);

  /** 0 is off. */
  public static final GenerationKey<Integer> NO_REPEAT_NGRAM_SIZE =
      model("no_repeat_ngram_size", ValueType.integer(0, MOST_TOKENS), 0);

  public static final GenerationKey<List<SequenceBias>> SEQUENCE_BIAS =
      model("sequence_bias", ValueType.biases());
  public static final GenerationKey<List<List<Integer>>> BAD_WORDS_IDS =
      model("bad_words_ids", ValueType.sequences());
  public static final GenerationKey<List<Integer>> SUPPRESS_TOKENS =
      model("suppress_tokens", ValueType.ids());
  public static final GenerationKey<List<Integer>> BEGIN_SUPPRESS_TOKENS =
      model("begin_suppress_tokens", ValueType.ids());
  public static final GenerationKey<LengthDecay> EXPONENTIAL_DECAY_LENGTH_PENALTY =
      model("exponential_decay_length_penalty", ValueType.decay());
  public static final GenerationKey<Integer> FORCED_BOS_TOKEN_ID =
      model("forced_bos_token_id", ValueType.integer(0, MOST_TOKENS));
  public static final GenerationKey<List<Integer>> FORCED_EOS_TOKEN_ID =
      model("forced_eos_token_id", ValueType.oneOrMoreIds());
  public static final GenerationKey<Boolean> REMOVE_INVALID_VALUES =
      model("remove_invalid_values", ValueType.flag(), false);
  public static final GenerationKey<Boolean> RENORMALIZE_LOGITS =
      model("renormalize_logits", ValueType.flag(), false);
  public static final GenerationKey<Integer> NUM_BEAMS =
      model("num_beams", ValueType.integer(1, MOST_BEAMS), 1);
  public static final GenerationKey<Double> LENGTH_PENALTY =
      model("length_penalty", ValueType.number("a finite number", any -> true), 1.0);
  public static final GenerationKey<EarlyStopping> EARLY_STOPPING =
      model("early_stopping", ValueType.earlyStopping(), EarlyStopping.HEURISTIC);
  public static final GenerationKey<Integer> NUM_RETURN_SEQUENCES =
      model("num_return_sequences", ValueType.integer(1, MOST_SAMPLES), 1);
  public static final GenerationKey<List<Integer>> EOS_TOKEN_ID =
      model("eos_token_id", ValueType.endIds());
  public static final GenerationKey<Integer> PAD_TOKEN_ID =
      model("pad_token_id", ValueType.anyInteger());

  /** Called {@code stop} in jobs. */
  public static final GenerationKey<List<String>> STOP_STRINGS =
      model("stop_strings", ValueType.strings());

  /** Ours: end-of-sequence ids are tokens like others and end nothing. For benchmarks. */
  public static final GenerationKey<Boolean> IGNORE_EOS =
      job("ignore_eos", ValueType.flag(), Optional.of(false));

  /** Ours: what all random draws depend on, beside the row. */
  public static final GenerationKey<Long> SEED =
      job("seed", ValueType.longInteger(), Optional.of(0L));

  /** Ours: samples of a row; another name of num_return_sequences. */
  public static final GenerationKey<Integer> N =
      job("n", ValueType.integer(1, MOST_SAMPLES), Optional.empty());

  private final String name;
  private final boolean ofModels;
  private final ValueType<T> type;
  private final Optional<T> fallback;

  private GenerationKey(String name, boolean ofModels, ValueType<T> type, Optional<T> fallback) {
    this.name = name;
    this.ofModels = ofModels;
    this.type = type;
    this.fallback = fallback;
    BY_NAME.put(name, this);
  }

  private static <T> GenerationKey<T> model(String name, ValueType<T> type) {
    return new GenerationKey<>(name, true, type, Optional.empty());
  }

  private static <T> GenerationKey<T> model(String name, ValueType<T> type, T fallback) {
    return new GenerationKey<>(name, true, type, Optional.of(fallback));
  }

  private static <T> GenerationKey<T> job(String name, ValueType<T> type, Optional<T> fallback) {
    return new GenerationKey<>(name, false, type, fallback);
  }

  /** All of them, in the order above. */
  public static Collection<GenerationKey<?>> all() {
    return Collections.unmodifiableCollection(BY_NAME.values());
  }

  /** As in generation_config.json. */
  public String name() {
    return name;
  }

  /** Whether a model's generation_config.json may give it. */
  boolean ofModels() {
    return ofModels;
  }

  Optional<T> fallback() {
    return fallback;
  }

  /** {@code value}, if it is one this setting takes. */
  T checked(T value) {
    if (!type.allowed().test(value)) {
      throw new InvalidSettingException(name, value, type.expected());
    }
    return value;
  }

  T read(JsonNode node) {
    return checked(
        type.reader()
            .apply(node)
            .orElseThrow(() -> new InvalidSettingException(name, node, type.expected())));
  }

  @Override
  public String toString() {
    return name;
  }
}
