package io.sirocco.model;

import java.util.Optional;

/**
 * The tokens of one row, at positions 0, 1, 2, ..., unless they form a tree.
 *
 * @param ids token ids, at least one
 * @param attentionMask as long as {@code ids}: a slot where it is 0 is not attended to, though it
 *     keeps its position; without a mask every slot is
 * @param tree how the last tokens branch; empty where each follows the one before it
 */
@SuppressWarnings("ArrayRecordComponent") // an operand, never compared
public record TokenRow(int[] ids, Optional<int[]> attentionMask, Optional<TokenTree> tree) {

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
    tree.ifPresent(
        branches -> {
          if (branches.trunk() + branches.branching() != length) {
            throw new IllegalArgumentException(
                length
                    + " ids, but a trunk of "
                    + branches.trunk()
                    + " and "
                    + branches.branching()
                    + " branching tokens");
          }
        });
  }

  /** A row without branches. */
  public TokenRow(int[] ids, Optional<int[]> attentionMask) {
    this(ids, attentionMask, Optional.empty());
  }

  /** A row all of whose slots are attended to. */
  public static TokenRow of(int... ids) {
    return new TokenRow(ids, Optional.empty(), Optional.empty());
  }

  /** Number of tokens. */
  public int length() {
    return ids.length;
  }
}
