package io.sirocco.engine;

import java.io.Serializable;
import java.util.Objects;

/** What a job knows of the beginning that its rows have in common. */
public sealed interface Beginning extends Serializable {

  /** Nothing: each row is computed whole. */
  record Unknown() implements Beginning {}

  /**
   * The text of each row begins with this one, or most do; in chats, the user's message does, and
   * what the chat template puts before it is shared, too.
   *
   * @param text may be empty where chats have nothing else in common
   */
  record Text(String text) implements Beginning {
    public Text {
      Objects.requireNonNull(text, "text");
    }
  }

  /**
   * What the first rows that have anything in common begin with.
   *
   * @param most tokens of it
   */
  record Tokens(int most) implements Beginning {
    public Tokens {
      if (most < 1) {
        throw new IllegalArgumentException("a beginning of " + most + " tokens");
      }
    }
  }
}
