package io.sirocco.tokenizer.convert;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** A tekken.json of the 256 bytes, a few words and 24 control tokens; to be changed at will. */
final class TekkenJson {
  static final int SPECIAL = 24;
  static final String PATTERN = " ?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s+";

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private TekkenJson() {}

  static ObjectNode of(String... words) {
    ObjectNode json = MAPPER.createObjectNode();
    ObjectNode config = json.putObject("config");
    config.put("pattern", PATTERN).put("version", "v3");
    config.put("num_vocab_tokens", 256 + words.length);
    config.put("default_vocab_size", SPECIAL + 256 + words.length);
    config.put("default_num_special_tokens", SPECIAL);
    ArrayNode vocabulary = json.putArray("vocab");
    for (int b = 0; b < 256; b++) {
      add(vocabulary, new byte[] {(byte) b});
    }
    for (String word : words) {
      add(vocabulary, word.getBytes(StandardCharsets.UTF_8));
    }
    return json;
  }

  static void add(ArrayNode vocabulary, byte[] token) {
    int rank = vocabulary.size();
    vocabulary
        .addObject()
        .put("rank", rank)
        .put("token_bytes", Base64.getEncoder().encodeToString(token))
        .putNull("token_str");
  }

  static ObjectNode small() {
    return of("th", "the", " t", " th", " the", "in", "é");
  }

  static byte[] bytes(ObjectNode json) {
    return json.toString().getBytes(StandardCharsets.UTF_8);
  }
}
