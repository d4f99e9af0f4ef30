package io.sirocco.model;

import java.util.Arrays;
import java.util.Optional;

/**
 * What a batch computes of one row: all of it, or the tokens behind those that are cached.
 *
 * @param ids the tokens to compute
 * @param from index of the first of them within the row
 * @param contextLength tokens of the row by which the rotary embedding goes
 * @param reach tokens of the row by which attention's blocks go: those up to this part's end, or
 *     more where it is known that more follow
 * @param cache of the earlier tokens and, afterwards, of these; the row's own
 * @param prefix of the earlier tokens; other rows read it, too
 * @param adapter the row's, by which its earlier tokens were computed as well
 */
@SuppressWarnings("ArrayRecordComponent") // an operand, never compared
record RowPart(
    int[] ids,
    int from,
    int contextLength,
    int reach,
    Optional<int[]> attentionMask,
    Optional<TokenTree> tree,
    Optional<KvCache> cache,
    Optional<KvCache> prefix,
    Optional<Adapter> adapter) {

  static RowPart of(PrefixedRow prefixed) {
    TokenRow row = prefixed.row();
    return new RowPart(
        Arrays.copyOfRange(row.ids(), prefixed.shared(), row.length()),
        prefixed.shared(),
        row.length(),
        row.length(),
        row.attentionMask(),
        row.tree(),
        Optional.empty(),
        prefixed.prefix(),
        prefixed.adapter());
  }

  /** The next tokens of a prefix, as they are computed in rows of so many tokens. */
  static RowPart ofPrefix(Continuation next, int rowLength) {
    return new RowPart(
        next.ids(),
        next.cache().length(),
        next.contextLength(),
        rowLength,
        Optional.empty(),
        Optional.empty(),
        Optional.of(next.cache()),
        Optional.empty(),
        next.adapter());
  }

  static RowPart of(Continuation next) {
    return new RowPart(
        next.ids(),
        next.cache().length(),
        next.contextLength(),
        next.cache().length() + next.ids().length,
        Optional.empty(),
        Optional.empty(),
        Optional.of(next.cache()),
        Optional.empty(),
        next.adapter());
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
