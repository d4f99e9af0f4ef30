package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.tokenizer.convert.ByteLevelAlphabet;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * From a token's name to what it says, by the steps of the file's decoder that look at single
 * tokens.
 *
 * @param byteLevel whether names are written in the byte-level alphabet
 * @param byteFallback whether {@code <0x41>} is the byte 0x41
 * @param replacements done in order, before bytes are looked for
 */
record TokenTexts(boolean byteLevel, boolean byteFallback, List<Replacement> replacements) {
  /** Every {@code from} becomes {@code to}. */
  record Replacement(String from, String to) {}

  private static final String BYTE_START = "<0x";
  private static final int BYTE_LENGTH = "<0x41>".length();

  static TokenTexts of(JsonNode decoder) {
    List<JsonNode> steps = steps(decoder);
    List<Replacement> replacements = new ArrayList<>();
    boolean byteLevel = false;
    boolean byteFallback = false;
    for (JsonNode step : steps) {
      switch (step.path("type").asText()) {
        case "ByteLevel" -> byteLevel = true;
        case "ByteFallback" -> byteFallback = true;
        case "Metaspace" ->
            replacements.add(new Replacement(step.path("replacement").asText("▁"), " "));
        case "Replace" ->
            replacements.add(
                new Replacement(
                    step.path("pattern").path("String").asText(), step.path("content").asText()));
        default -> {}
      }
    }
    return new TokenTexts(byteLevel, byteFallback, List.copyOf(replacements));
  }

  /** The decoder's steps, those of sequences one by one. */
  static List<JsonNode> steps(JsonNode decoder) {
    if (!decoder.path("type").asText().equals("Sequence")) {
      return decoder.isObject() ? List.of(decoder) : List.of();
    }
    List<JsonNode> steps = new ArrayList<>();
    decoder.path("decoders").forEach(step -> steps.addAll(steps(step)));
    return steps;
  }

  String replaced(String name) {
    String text = name;
    for (Replacement replacement : replacements) {
      text = text.replace(replacement.from(), replacement.to());
    }
    return text;
  }

  /** The byte, 0 to 255, that a name such as {@code <0x41>} stands for. */
  OptionalInt fallbackByte(String name) {
    if (!byteFallback
        || name.length() != BYTE_LENGTH
        || !name.startsWith(BYTE_START)
        || !name.endsWith(">")) {
      return OptionalInt.empty();
    }
    // The library reads numbers, and "+5" is one.
    int high = name.charAt(3) == '+' ? 0 : hex(name.charAt(3));
    int low = hex(name.charAt(4));
    return high < 0 || low < 0 ? OptionalInt.empty() : OptionalInt.of(high * 16 + low);
  }

  /** What a token says in the middle of a text. */
  byte[] bytes(String name) {
    if (byteLevel) {
      return ByteLevelAlphabet.bytes(name);
    }
    String text = replaced(name);
    OptionalInt single = fallbackByte(text);
    return single.isPresent()
        ? new byte[] {(byte) single.getAsInt()}
        : text.getBytes(StandardCharsets.UTF_8);
  }

  /** The digit's value, or -1. */
  private static int hex(char c) {
    return c < 0x80 ? Character.digit(c, 16) : -1;
  }
}
