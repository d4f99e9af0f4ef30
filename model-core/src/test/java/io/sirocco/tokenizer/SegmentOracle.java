package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A prompt's ids the plain way: control tokens are looked for one by one, and what lies between is
 * encoded by a tokenizer that knows no control tokens.
 */
final class SegmentOracle {
  private static final String ORDINARY = "[REFERENCE_DOC_0]";

  private final Tokenizer segments;
  private final List<JsonNode> special;
  private final boolean firstDiffers;

  /**
   * Whether the first segment is read differently from those behind a token; they are then encoded
   * behind an ordinary token, which is left out again.
   */
  SegmentOracle(Tokenizer segments, List<JsonNode> special, boolean firstDiffers) {
    this.segments = segments;
    this.special = special;
    this.firstDiffers = firstDiffers;
  }

  int[] ids(RandomPrompt prompt) {
    IntStream.Builder ids = IntStream.builder();
    String text = prompt.text();
    int start = 0;
    for (int i = 0; i <= text.length(); i++) {
      JsonNode token = i < text.length() ? control(prompt, i) : null;
      if (token == null && i < text.length()) {
        continue;
      }
      segment(text.substring(start, i), start > 0).forEach(ids::add);
      if (token != null) {
        ids.add(token.path("id").asInt());
        i += token.path("content").asText().length() - 1;
        start = i + 1;
      }
    }
    return ids.build().toArray();
  }

  int controls(RandomPrompt prompt) {
    int count = 0;
    for (int i = 0; i < prompt.text().length(); i++) {
      count += control(prompt, i) == null ? 0 : 1;
    }
    return count;
  }

  private IntStream segment(String text, boolean behindToken) {
    if (text.isEmpty()) {
      return IntStream.empty();
    }
    boolean padded = firstDiffers && behindToken;
    int[] ids = segments.encodePrompt(padded ? ORDINARY + text : text, new BitSet());
    return Arrays.stream(ids).skip(padded ? 1 : 0);
  }

  /** The longest control token at {@code start} without data in it, or null. */
  private JsonNode control(RandomPrompt prompt, int start) {
    JsonNode longest = null;
    int length = 0;
    for (JsonNode token : special) {
      String content = token.path("content").asText();
      int end = start + content.length();
      if (content.length() > length
          && prompt.text().startsWith(content, start)
          && prompt.fromData().get(start, end).isEmpty()) {
        longest = token;
        length = content.length();
      }
    }
    return longest;
  }
}
