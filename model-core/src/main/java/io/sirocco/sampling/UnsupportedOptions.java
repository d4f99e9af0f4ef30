package io.sirocco.sampling;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/** Options of the library that change what is generated and that we do not have. */
final class UnsupportedOptions {
  @SuppressWarnings("UnnecessaryLambda")
  private static final Predicate<JsonNode> NEVER_NEUTRAL = node -> false;

  /** By key: the values that change nothing, beside null. */
  private static final Map<String, Predicate<JsonNode>> NEUTRAL = neutral();

  private UnsupportedOptions() {}

  private static Map<String, Predicate<JsonNode>> neutral() {
    Map<String, Predicate<JsonNode>> neutral = new LinkedHashMap<>();
    neutral.put("guidance_scale", is(1));
    neutral.put("penalty_alpha", is(0));
    neutral.put("dola_layers", NEVER_NEUTRAL);
    neutral.put("constraints", NEVER_NEUTRAL);
    neutral.put("force_words_ids", NEVER_NEUTRAL);
    neutral.put("num_beam_groups", is(1));
    neutral.put("diversity_penalty", is(0));
    neutral.put("watermarking_config", NEVER_NEUTRAL);
    neutral.put("top_h", NEVER_NEUTRAL);
    neutral.put("encoder_repetition_penalty", is(1));
    neutral.put("encoder_no_repeat_ngram_size", is(0));
    neutral.put("prompt_lookup_num_tokens", NEVER_NEUTRAL);
    neutral.put("assistant_early_exit", NEVER_NEUTRAL);
    neutral.put("token_healing", node -> node.isBoolean() && !node.booleanValue());
    neutral.put("max_time", NEVER_NEUTRAL);
    neutral.put(
        "cache_implementation",
        node -> node.isTextual() && !node.textValue().startsWith("quantized"));
    return neutral;
  }

  private static Predicate<JsonNode> is(int value) {
    return node -> node.isNumber() && node.doubleValue() == value;
  }

  static void refuse(JsonNode config) {
    NEUTRAL.forEach(
        (key, neutral) -> {
          if (config.hasNonNull(key) && !neutral.test(config.get(key))) {
            throw new InvalidSettingException(
                key, config.get(key), "none: it is not supported; remove it or set it to null");
          }
        });
  }
}
