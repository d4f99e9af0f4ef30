package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * An entry of {@code added_tokens}: a token cut out of the text before the model sees it.
 *
 * @param id token id
 * @param content the text that becomes this token
 * @param special whether it is a control token, skipped on request when decoding
 * @param swallowsSpace whether it takes the white space beside it along
 */
record AddedToken(int id, String content, boolean special, boolean swallowsSpace) {

  static AddedToken of(JsonNode node) {
    return new AddedToken(
        node.path("id").asInt(-1),
        node.path("content").asText(),
        node.path("special").asBoolean(),
        node.path("lstrip").asBoolean() || node.path("rstrip").asBoolean());
  }
}
