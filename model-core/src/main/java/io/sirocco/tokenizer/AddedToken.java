package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * An entry of {@code added_tokens}: a token cut out of the text before the model sees it.
 *
 * @param id token id
 * @param content the text that becomes this token
 * @param special whether it is a control token, skipped on request when decoding
 * @param normalized whether it is looked for in the normalized text, its content normalized too
 * @param singleWord whether it counts only where no word character stands next to it
 * @param lstrip whether it takes the white space in front along
 * @param rstrip whether it takes the white space behind along
 */
record AddedToken(
    int id,
    String content,
    boolean special,
    boolean normalized,
    boolean singleWord,
    boolean lstrip,
    boolean rstrip) {

  static AddedToken of(JsonNode node) {
    return new AddedToken(
        node.path("id").asInt(-1),
        node.path("content").asText(),
        node.path("special").asBoolean(),
        node.path("normalized").asBoolean(),
        node.path("single_word").asBoolean(),
        node.path("lstrip").asBoolean(),
        node.path("rstrip").asBoolean());
  }

  boolean swallowsSpace() {
    return lstrip || rstrip;
  }
}
