package io.sirocco.arrow;

import com.fasterxml.jackson.databind.ObjectMapper;

/** Conversations in the form that {@link io.sirocco.engine.RowInput.Chat} takes. */
public final class Conversation {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Conversation() {}

  /** One message, by the user. */
  public static String ofUser(String content) {
    return JSON.createArrayNode()
        .add(JSON.createObjectNode().put("role", "user").put("content", content))
        .toString();
  }
}
