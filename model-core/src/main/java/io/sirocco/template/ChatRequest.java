package io.sirocco.template;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a chat template is applied to.
 *
 * @param messages objects with {@code role} and {@code content}, and what else the template reads
 * @param tools an array of JSON schemas of functions, or empty
 * @param end how the prompt ends
 */
public record ChatRequest(List<JsonNode> messages, Optional<JsonNode> tools, PromptEnd end) {
  public ChatRequest {
    messages = List.copyOf(messages);
    tools = tools.filter(node -> !node.isNull() && !node.isMissingNode());
    Objects.requireNonNull(end, "end");
  }

  /** A conversation without tools whose next message is to be written. */
  public static ChatRequest of(List<JsonNode> messages) {
    return new ChatRequest(messages, Optional.empty(), PromptEnd.GENERATION_PROMPT);
  }
}
