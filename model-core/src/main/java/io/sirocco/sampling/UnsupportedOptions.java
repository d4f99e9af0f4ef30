package io.sirocco.sampling;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/** Options of the library that change what is generated and that we do not have. */
final class UnsupportedOptions {
  /** By key: the values that change nothing, beside null. */
  private static final Map<String, Predicate<JsonNode>> NEUTRAL = neutral();

  private UnsupportedOptions() {}

  private static Map<String, Predicate<JsonNode>> neutral() {
    Map<String, Predicate<JsonNode>> neutral = new LinkedHashMap<>();
    neutral.put("guidance_scale", is(1));
    neutral.put("penalty_alpha", is(0));
    neutral.put("dola_layers", UnsupportedOptions::never);
    neutral.put("constraints", UnsupportedOptions::never);
    neutral.put("force_words_ids", UnsupportedOptions::never);
    neutral.put("num_beam_groups", is(1));
    neutral.put("diversity_penalty", is(0));
    neutral.put("watermarking_config", UnsupportedOptions::never);
    neutral.put("top_h", UnsupportedOptions::never);
    neutral.put("encoder_repetition_penalty", is(1));
    neutral.put("encoder_no_repeat_ngram_size", is(0));
    neutral.put("prompt_lookup_num_tokens", UnsupportedOptions::never);
    neutral.put("assistant_early_exit", UnsupportedOptions::never);
    neutral.put("token_healing", node -> node.isBoolean() && !node.booleanValue());
    neutral.put("max_time", UnsupportedOptions::never);
    neutral.put(
        "cache_implementation",
        node -> node.isTextual() && !node.textValue().startsWith("quantized"));
    return neutral;
  }

  private static boolean never(JsonNode node) {
    return node.isNull();
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
