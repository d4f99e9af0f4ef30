package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.tokenizer.convert.SplitPattern;
import java.util.Set;

/**
 * What a tokenizer.json may ask of the Rust library.
 *
 * <p>The library trusts its file: an unknown name in a template, a decoder that strips more than
 * there is, or a pattern beyond the regex engine's limits ends in a panic, which takes the JVM
 * down. So the steps that Mistral tokenizers are made of are allowed by name, their arguments are
 * checked, and everything else is refused.
 */
final class PipelineRules {
  private static final Set<String> NORMALIZERS = Set.of("NFC", "NFD", "NFKC", "NFKD", "Prepend");
  private static final Set<String> PRE_TOKENIZERS = Set.of("Metaspace", "ByteLevel", "Digits");
  private static final Set<String> DECODERS =
      Set.of("ByteFallback", "Fuse", "ByteLevel", "Metaspace");

  /** For the pattern of GPT-2, which the library itself brings. */
  private static final int MAX_PATTERN_TEXT = 1 << 21;

  /** Keeps the text's UTF-8 form well within the int that JNI counts it with. */
  private static final int MAX_TEXT = 1 << 28;

  private final String file;

  /** {@code file} is what errors name. */
  PipelineRules(String file) {
    this.file = file;
  }

  /**
   * Longest text, in UTF-16 units, that may be handed to this pre-tokenizer.
   *
   * <p>The regex engine gives up, and the library panics, after ten million steps back within one
   * match. Mistral's own pattern takes a step for each character of a run of capitals or of white
   * space, so a row of eleven million spaces would end the JVM.
   */
  static int maxTextLength(JsonNode preTokenizer) {
    int longest = MAX_TEXT;
    for (JsonNode inner : preTokenizer.path("pretokenizers")) {
      longest = Math.min(longest, maxTextLength(inner));
    }
    JsonNode regex = preTokenizer.path("pattern").path("Regex");
    if (regex.isTextual()) {
      // One that is refused never comes so far.
      return SplitPattern.of(regex.asText()).map(pattern -> pattern.maxTextLength()).orElse(0);
    }
    boolean runsOwn =
        type(preTokenizer).equals("ByteLevel") && preTokenizer.path("use_regex").asBoolean(true);
    return runsOwn ? Math.min(longest, MAX_PATTERN_TEXT) : longest;
  }

  void checkNormalizer(JsonNode step) {
    switch (type(step)) {
      case "" -> {}
      case "Sequence" -> array(step, "normalizers").forEach(this::checkNormalizer);
      case "Replace" -> checkLiteralPattern("normalizer", step);
      default -> require(NORMALIZERS, "normalizer", step);
    }
  }

  void checkPreTokenizer(JsonNode step) {
    switch (type(step)) {
      case "" -> {}
      case "Sequence" -> array(step, "pretokenizers").forEach(this::checkPreTokenizer);
      case "Split" -> checkSplit(step);
      default -> require(PRE_TOKENIZERS, "pre_tokenizer", step);
    }
  }

  void checkDecoder(JsonNode step) {
    switch (type(step)) {
      case "" -> {}
      case "Sequence" -> array(step, "decoders").forEach(this::checkDecoder);
      case "Replace" -> checkLiteralPattern("decoder", step);
      case "Strip" -> {
        if (step.path("stop").asInt(-1) != 0) {
          throw refused("decoder", "Strip has stop " + step.path("stop") + ", expected 0");
        }
      }
      default -> require(DECODERS, "decoder", step);
    }
  }

  void checkPostProcessor(JsonNode step) {
    switch (type(step)) {
      case "" -> {}
      case "Sequence" -> array(step, "processors").forEach(this::checkPostProcessor);
      case "TemplateProcessing" -> checkTemplate(step);
      default -> require(Set.of("ByteLevel"), "post_processor", step);
    }
  }

  /** The template must hold the text once, and no token that it does not define. */
  private void checkTemplate(JsonNode step) {
    int texts = 0;
    for (JsonNode piece : array(step, "single")) {
      if (piece.path("Sequence").path("id").asText().equals("A")) {
        texts++;
        continue;
      }
      String name = piece.path("SpecialToken").path("id").asText();
      JsonNode token = step.path("special_tokens").path(name);
      JsonNode ids = token.path("ids");
      JsonNode tokens = token.path("tokens");
      if (!ids.isArray() || !tokens.isArray() || ids.isEmpty() || ids.size() != tokens.size()) {
        throw refused(
            "post_processor", "the template uses " + piece + ", which special_tokens lacks");
      }
    }
    if (texts != 1) {
      throw refused("post_processor", "the template holds the text " + texts + " times, not once");
    }
  }

  private void checkLiteralPattern(String section, JsonNode step) {
    if (step.path("pattern").path("String").asText().isEmpty()) {
      throw refused(
          section, "Replace has pattern " + step.path("pattern") + ", expected a non-empty String");
    }
  }

  private void checkSplit(JsonNode step) {
    JsonNode regex = step.path("pattern").path("Regex");
    if (!regex.isTextual()) {
      if (step.path("pattern").path("String").asText().isEmpty()) {
        throw refused("pre_tokenizer", "Split has no pattern");
      }
      return;
    }
    if (SplitPattern.of(regex.asText()).isEmpty()) {
      throw refused(
          "pre_tokenizer",
          "Split has a pattern of "
              + regex.asText().length()
              + " characters; "
              + SplitPattern.rule());
    }
  }

  private void require(Set<String> allowed, String section, JsonNode step) {
    if (!allowed.contains(type(step))) {
      throw refused(section, "type " + step.path("type") + " is not one that Mistral models use");
    }
  }

  private JsonNode array(JsonNode step, String field) {
    JsonNode steps = step.path(field);
    if (!steps.isArray()) {
      throw refused(step.path("type").asText(), "expected an array " + field);
    }
    return steps;
  }

  /** Empty where the section is absent or null. */
  private static String type(JsonNode step) {
    return step.isMissingNode() || step.isNull() ? "" : step.path("type").asText("?");
  }

  private ModelException refused(String section, String problem) {
    return new ModelException(file + ": " + section, problem);
  }
}
