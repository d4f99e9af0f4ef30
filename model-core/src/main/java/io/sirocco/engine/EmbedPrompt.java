package io.sirocco.engine;

import java.io.Serializable;
import java.util.Objects;

/**
 * What is put before each text that is embedded. Its author is trusted: a control token's name in
 * it is that token, which it never is in a row's own text.
 *
 * @param text a name, or an instruction; empty for the other kinds
 */
public record EmbedPrompt(Kind kind, String text) implements Serializable {

  /** Where it is from. */
  public enum Kind {
    /** The default prompt of the model's folder, if it has one. */
    FOLDER,
    /** Nothing. */
    NONE,
    /** The folder's prompt of that name. */
    NAMED,
    /** The form in which e5-mistral and its like are told what to look for. */
    INSTRUCTION,
    /** Nothing before or behind: rows come as tokens, which are used as they are. */
    TOKENS
  }

  public EmbedPrompt {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(text, "text");
  }

  /** The folder's default, if it has one. */
  public static EmbedPrompt ofFolder() {
    return new EmbedPrompt(Kind.FOLDER, "");
  }

  /** Nothing, whatever the folder has. */
  public static EmbedPrompt none() {
    return new EmbedPrompt(Kind.NONE, "");
  }

  /** The folder's prompt of that name. */
  public static EmbedPrompt named(String name) {
    return new EmbedPrompt(Kind.NAMED, name);
  }

  /** {@code Instruct: TASK}, a line feed, and {@code Query: }. */
  public static EmbedPrompt instruction(String task) {
    return new EmbedPrompt(Kind.INSTRUCTION, task);
  }

  /** Nothing, as all rows come as tokens; what the folder says of texts does not count. */
  public static EmbedPrompt ofTokens() {
    return new EmbedPrompt(Kind.TOKENS, "");
  }
}
