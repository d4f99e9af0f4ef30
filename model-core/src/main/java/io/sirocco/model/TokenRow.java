package io.sirocco.model;

import java.util.Optional;

/**
 * The tokens of one row, at positions 0, 1, 2, ...
 *
 * @param ids token ids, at least one
 * @param attentionMask as long as {@code ids}: a slot where it is 0 is not attended to, though it
 *     keeps its position; without a mask every slot is
 */
@SuppressWarnings("ArrayRecordComponent") // an operand, never compared
public record TokenRow(int[] ids, Optional<int[]> attentionMask) {

  public TokenRow {
    if (ids.length == 0) {
      throw new IllegalArgumentException("a row needs a token");
    }
    int length = ids.length;
    attentionMask.ifPresent(
        mask -> {
          if (mask.length != length) {
            throw new IllegalArgumentException(
                length + " ids, but an attention mask of " + mask.length);
          }
        });
  }

  /** A row all of whose slots are attended to. */
  public static TokenRow of(int... ids) {
    return new TokenRow(ids, Optional.empty());
  }

  /** Number of tokens. */
  public int length() {
    return ids.length;
  }
}
