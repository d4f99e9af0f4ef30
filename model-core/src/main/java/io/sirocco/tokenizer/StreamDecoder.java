package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;

/** The decoder of a tokenizer, fed one token at a time. */
interface StreamDecoder {

  /** Takes the next token's name. */
  void accept(String name);

  /** No token follows. */
  void finish();

  /** Whether what was fed last may still change: a byte run or a character is incomplete. */
  boolean isOpen();

  /** The text that is certain; the caller takes it out. */
  StringBuilder text();

  /** The stream form of the file's decoder; empty if there is none. */
  static Optional<StreamDecoder> of(JsonNode decoder) {
    List<JsonNode> steps = TokenTexts.steps(decoder);
    List<String> types = steps.stream().map(step -> step.path("type").asText()).toList();
    TokenTexts texts = TokenTexts.of(decoder);
    if (types.equals(List.of("ByteLevel"))) {
      return Optional.of(new ByteLevelStream());
    }
    // The order counts: bytes are looked for in what was replaced, the start stripped at the end.
    String order = String.join(" ", types);
    if (!order.matches("(Replace )*(ByteFallback )?Fuse( Strip)?")) {
      return Optional.empty();
    }
    JsonNode strip = steps.get(steps.size() - 1);
    String stripped = strip.path("content").asText();
    return Optional.of(new SentencePieceStream(texts, stripped, strip.path("start").asInt()));
  }
}
