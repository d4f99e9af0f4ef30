package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.tokenizer.convert.ByteLevelAlphabet;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/**
 * How much text one token can stand for, so that a huge text can be refused without being
 * tokenized.
 *
 * <p>Sound only where no step drops text and every token stands for a limited piece: steps that
 * only add or replace one for one, a vocabulary that covers all bytes (no run of characters fuses
 * into one unknown token), and no added token that swallows white space. Elsewhere there is no
 * bound.
 *
 * @param unit what text is counted in
 * @param longest most units that one token stands for
 */
record TokenBound(Unit unit, int longest) {

  enum Unit {
    /** Byte-level vocabularies: a character of a token's name is a byte of the text. */
    BYTES,
    CODE_POINTS,
    /** No bound. */
    NONE
  }

  private static final TokenBound NONE = new TokenBound(Unit.NONE, 1);

  TokenBound {
    if (longest < 1) {
      throw new IllegalArgumentException("longest token: " + longest);
    }
  }

  /** The bound of a tokenizer whose pipeline {@link PipelineRules} has let pass. */
  static TokenBound of(TokenizerFile file) {
    boolean byteLevel = hasByteLevel(file.section("pre_tokenizer"));
    boolean covered =
        byteLevel
            ? coversByteLevel(file.vocabulary())
            : file.byteFallback() && coversByteTokens(file.vocabulary());
    if (!covered
        || !keepsLength(file.section("normalizer"))
        || !dropsNothing(file.section("pre_tokenizer"))
        || file.addedTokens().stream().anyMatch(AddedToken::swallowsSpace)) {
      return NONE;
    }
    int longest = 1;
    for (String token : file.vocabulary().keySet()) {
      longest = Math.max(longest, token.codePointCount(0, token.length()));
    }
    // A normalized added token is matched with the normalizer's own prefix in front.
    int prepended = prepended(file.section("normalizer"));
    Unit unit = byteLevel ? Unit.BYTES : Unit.CODE_POINTS;
    for (AddedToken token : file.addedTokens()) {
      longest = Math.max(longest, Math.addExact(count(unit, token.content()), prepended));
    }
    return new TokenBound(unit, longest);
  }

  /** No tokenization of {@code text} has fewer tokens. */
  int minimumTokens(String text) {
    return unit == Unit.NONE ? 0 : (int) ((count(unit, text) + (long) longest - 1) / longest);
  }

  private static int count(Unit unit, String text) {
    int codePoints = 0;
    long bytes = 0;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      codePoints++;
      // A lone surrogate becomes U+FFFD, which has three bytes as well.
      bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }
    // Cutting off at the largest int keeps a lower bound a lower bound.
    return unit == Unit.BYTES ? (int) Math.min(bytes, Integer.MAX_VALUE) : codePoints;
  }

  private static boolean keepsLength(JsonNode step) {
    return switch (step.path("type").asText()) {
      case "Sequence" -> all(step.path("normalizers"), TokenBound::keepsLength);
      case "Replace" ->
          step.path("pattern").path("String").asText().equals(" ")
              && step.path("content").asText().equals("▁");
      case "Prepend" -> true;
      default -> !step.isObject();
    };
  }

  private static boolean dropsNothing(JsonNode step) {
    return switch (step.path("type").asText()) {
      case "Sequence" -> all(step.path("pretokenizers"), TokenBound::dropsNothing);
      case "Split" -> !step.path("behavior").asText().equals("Removed");
      case "Metaspace", "ByteLevel", "Digits" -> true;
      default -> !step.isObject();
    };
  }

  private static boolean hasByteLevel(JsonNode step) {
    for (JsonNode inner : step.path("pretokenizers")) {
      if (hasByteLevel(inner)) {
        return true;
      }
    }
    return step.path("type").asText().equals("ByteLevel");
  }

  private static int prepended(JsonNode step) {
    int length = step.path("prepend").asText().getBytes(StandardCharsets.UTF_8).length;
    for (JsonNode inner : step.path("normalizers")) {
      length = Math.addExact(length, prepended(inner));
    }
    return length;
  }

  private static boolean all(JsonNode steps, Predicate<JsonNode> rule) {
    for (JsonNode step : steps) {
      if (!rule.test(step)) {
        return false;
      }
    }
    return true;
  }

  private static boolean coversByteTokens(Map<String, Integer> vocabulary) {
    for (int b = 0; b < 256; b++) {
      if (!vocabulary.containsKey(String.format(Locale.ROOT, "<0x%02X>", b))) {
        return false;
      }
    }
    return true;
  }

  private static boolean coversByteLevel(Map<String, Integer> vocabulary) {
    for (int b = 0; b < 256; b++) {
      if (!vocabulary.containsKey(String.valueOf(ByteLevelAlphabet.character(b)))) {
        return false;
      }
    }
    return true;
  }
}
