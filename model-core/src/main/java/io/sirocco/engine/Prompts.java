package io.sirocco.engine;

import java.io.Serializable;
import java.util.Objects;

/**
 * What a causal model's rows are.
 *
 * @param systemPrompt put in front of a conversation that does not begin with a system message;
 *     empty for none
 */
public record Prompts(Form form, String systemPrompt) implements Serializable {

  /** How a row becomes a prompt. */
  public enum Form {
    /** Its text, or its tokens, as they are. */
    PLAIN,
    /** A conversation, rendered by the model's chat template; a text is its one user message. */
    CHAT
  }

  public Prompts {
    Objects.requireNonNull(form, "form");
    Objects.requireNonNull(systemPrompt, "systemPrompt");
    if (form == Form.PLAIN && !systemPrompt.isEmpty()) {
      throw new IllegalArgumentException("a system prompt needs a chat");
    }
  }

  /** Texts or tokens as they are. */
  public static Prompts plain() {
    return new Prompts(Form.PLAIN, "");
  }

  /** Conversations. */
  public static Prompts chat(String systemPrompt) {
    return new Prompts(Form.CHAT, systemPrompt);
  }
}
