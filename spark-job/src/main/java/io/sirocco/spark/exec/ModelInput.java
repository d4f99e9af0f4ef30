package io.sirocco.spark.exec;

import java.util.Objects;
import java.util.Optional;

/** Which columns of a row the model reads. */
public sealed interface ModelInput {

  /** A string column; the one message of a conversation where the task's prompts are chats. */
  record Text(String column) implements ModelInput {
    public Text {
      Objects.requireNonNull(column, "column");
    }
  }

  /** A string column of conversations: JSON arrays of objects with role and content. */
  record Messages(String column) implements ModelInput {
    public Messages {
      Objects.requireNonNull(column, "column");
    }
  }

  /**
   * Columns of integer arrays (byte to long).
   *
   * @param idsColumn token ids, used as they are
   * @param maskColumn the attention mask
   */
  record Tokens(String idsColumn, Optional<String> maskColumn) implements ModelInput {
    public Tokens {
      Objects.requireNonNull(idsColumn, "idsColumn");
      Objects.requireNonNull(maskColumn, "maskColumn");
    }
  }
}
