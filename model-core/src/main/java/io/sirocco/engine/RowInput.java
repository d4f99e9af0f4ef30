package io.sirocco.engine;

import java.util.Optional;

/** What a caller hands in for one row. */
public sealed interface RowInput {

  /** A text to tokenize; malformed UTF-16 is read as U+FFFD. */
  record Text(String text) implements RowInput {}

  /**
   * A conversation, rendered by the model's chat template.
   *
   * @param messages a JSON array of objects with {@code role} and {@code content}
   */
  record Chat(String messages) implements RowInput {}

  /**
   * Token ids used as they are; where {@code attentionMask} is 0 the slot is not attended to. The
   * arrays become the engine's.
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
  record Tokens(int[] ids, Optional<int[]> attentionMask) implements RowInput {}
}
