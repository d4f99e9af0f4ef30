package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The normalizers of Mistral's tokenizers, done here to see where normalized added tokens match:
 * text in front, and single characters replaced. Unit {@code i} of a segment is unit {@code
 * prefix.length() + i} of its normalized form.
 *
 * @param prefix put in front of every segment that is not empty
 * @param replacements by character
 */
record PlainNormalizer(String prefix, Map<Character, Character> replacements) {
  /** Mistral's has one character. */
  private static final int MAX_PREFIX = 16;

  /** The normalizer that {@code step} describes; empty if it does more than that. */
  static Optional<PlainNormalizer> of(JsonNode step) {
    return then(new PlainNormalizer("", Map.of()), step);
  }

  private static Optional<PlainNormalizer> then(PlainNormalizer before, JsonNode step) {
    if (!step.isObject()) {
      return Optional.of(before);
    }
    switch (step.path("type").asText()) {
      case "Sequence" -> {
        Optional<PlainNormalizer> all = Optional.of(before);
        for (JsonNode inner : step.path("normalizers")) {
          all = all.flatMap(steps -> then(steps, inner));
        }
        return all;
      }
      case "Prepend" -> {
        String prefix = step.path("prepend").asText() + before.prefix;
        return prefix.length() > MAX_PREFIX
            ? Optional.empty()
            : Optional.of(new PlainNormalizer(prefix, before.replacements));
      }
      case "Replace" -> {
        String from = step.path("pattern").path("String").asText();
        String to = step.path("content").asText();
        boolean simple = from.length() == 1 && to.length() == 1;
        return simple
            ? Optional.of(before.replacing(from.charAt(0), to.charAt(0)))
            : Optional.empty();
      }
      default -> {
        return Optional.empty();
      }
    }
  }

  private PlainNormalizer replacing(char from, char to) {
    Map<Character, Character> all = new HashMap<>();
    replacements.forEach((source, result) -> all.put(source, result == from ? to : result));
    all.putIfAbsent(from, to);
    return new PlainNormalizer(prefix.replace(from, to), Map.copyOf(all));
  }

  String normalize(String segment) {
    if (segment.isEmpty()) {
      return segment;
    }
    StringBuilder out = new StringBuilder(prefix).append(segment);
    for (int i = prefix.length(); i < out.length(); i++) {
      out.setCharAt(i, replacements.getOrDefault(out.charAt(i), out.charAt(i)));
    }
    return out.toString();
  }
}
