package io.sirocco.template;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Conversations and templates of the tests. */
final class Chats {
  static final ObjectMapper MAPPER = new ObjectMapper();
  static final Map<String, String> TOKENS = Map.of("bos_token", "<s>", "eos_token", "</s>");

  private Chats() {}

  static JsonNode json(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  static List<JsonNode> list(JsonNode array) {
    List<JsonNode> nodes = new ArrayList<>();
    array.forEach(nodes::add);
    return nodes;
  }

  static JsonNode message(String role, String content) {
    return MAPPER.createObjectNode().put("role", role).put("content", content);
  }

  static ChatRequest user(String content) {
    return request(List.of(message("user", content)));
  }

  static ChatRequest request(List<JsonNode> messages) {
    return new ChatRequest(messages, Optional.empty(), PromptEnd.LAST_MESSAGE);
  }

  static ChatTemplate template(String source) {
    return ChatTemplate.parse(source, TOKENS, "test.jinja");
  }

  static String render(String source, ChatRequest request) {
    return template(source).render(request).text();
  }
}
