package io.sirocco.model;

import java.util.Optional;

/**
 * What a batch computes of one row: all of it, or the tokens behind those that are cached.
 *
 * @param ids the tokens to compute
 * @param from index of the first of them within the row
 * @param contextLength tokens of the row by which the rotary embedding goes
 */
@SuppressWarnings("ArrayRecordComponent") // an operand, never compared
record RowPart(
    int[] ids,
    int from,
    int contextLength,
    Optional<int[]> attentionMask,
    Optional<TokenTree> tree,
    Optional<KvCache> cache) {

  static RowPart of(TokenRow row) {
    return new RowPart(
        row.ids(), 0, row.length(), row.attentionMask(), row.tree(), Optional.empty());
  }

  static RowPart of(Continuation next) {
    return new RowPart(
        next.ids(),
        next.cache().length(),
        next.contextLength(),
        Optional.empty(),
        Optional.empty(),
        Optional.of(next.cache()));
  }

  /** Whether keys and values are stored in the cache before they are read. */
  boolean isInPlace() {
    return cache.isPresent() && cache.get().holdsInPlace(ids.length);
  }

  /** Tokens that every token behind them continues. */
  int trunk() {
    return tree.map(TokenTree::trunk).orElse(Integer.MAX_VALUE);
  }

  /** The position of the row's token number {@code token}. */
  int position(int token) {
    return tree.isPresent() ? tree.get().position(token) : token;
  }
}
