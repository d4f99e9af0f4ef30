package io.sirocco.engine;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.template.ChatRequest;
import io.sirocco.template.ChatTemplate;
import io.sirocco.template.RenderedPrompt;
import io.sirocco.template.TemplateException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Conversations as prompts, by the model's own chat template. Safe for any number of threads. */
final class Conversations {
  private static final int MAX_NESTING = 64;
  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_NESTING)
                          .maxStringLength(Integer.MAX_VALUE)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Optional<ChatTemplate> template;
  private final String systemPrompt;

  private Conversations(Optional<ChatTemplate> template, String systemPrompt) {
    this.template = template;
    this.systemPrompt = systemPrompt;
  }

  /** Where no row is a conversation; the folder's template, good or bad, is not looked at. */
  static Conversations none() {
    return new Conversations(Optional.empty(), "");
  }

  /**
   * @throws ModelException if the folder has no chat template, or one that is refused
   */
  static Conversations open(Path folder, String systemPrompt) {
    Optional<ChatTemplate> template = ChatTemplate.open(folder);
    if (template.isEmpty()) {
      throw new ModelException(
          folder.toString(),
          "has no chat template, neither chat_template.jinja nor in tokenizer_config.json; use"
              + " prompts that are plain text, or add the template of the model's publisher");
    }
    return new Conversations(template, systemPrompt);
  }

  RenderedPrompt ofText(String text) throws RowRefusal {
    return rendered(List.of(message("user", text)));
  }

  /** {@code messages}: a JSON array of objects. */
  RenderedPrompt ofMessages(String messages) throws RowRefusal {
    JsonNode array;
    try {
      array = JSON.readTree(messages);
    } catch (JsonProcessingException e) {
      throw new RowRefusal(
          RowErrorCode.BAD_MESSAGES, "the messages are no JSON: " + e.getOriginalMessage());
    }
    if (array == null || !array.isArray() || array.isEmpty()) {
      throw new RowRefusal(
          RowErrorCode.BAD_MESSAGES, "the messages are no JSON array with an element");
    }
    List<JsonNode> list = new ArrayList<>();
    for (JsonNode message : array) {
      if (!message.isObject() || !message.path("role").isTextual() || !message.has("content")) {
        throw new RowRefusal(
            RowErrorCode.BAD_MESSAGES,
            "message " + list.size() + " is no object with a role and a content");
      }
      list.add(message);
    }
    return rendered(list);
  }

  private RenderedPrompt rendered(List<JsonNode> messages) throws RowRefusal {
    if (template.isEmpty()) {
      throw new RowRefusal(RowErrorCode.BAD_MESSAGES, "the task takes no conversations");
    }
    List<JsonNode> all = new ArrayList<>(messages);
    if (!systemPrompt.isEmpty() && !messages.get(0).path("role").asText().equals("system")) {
      all.add(0, message("system", systemPrompt));
    }
    try {
      return template.get().render(ChatRequest.of(all));
    } catch (TemplateException e) {
      throw new RowRefusal(RowErrorCode.TEMPLATE_ERROR, e.getMessage());
    }
  }

  private static ObjectNode message(String role, String content) {
    return JsonNodeFactory.instance.objectNode().put("role", role).put("content", content);
  }
}
