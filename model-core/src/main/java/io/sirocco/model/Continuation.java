package io.sirocco.model;

import java.util.Optional;

/**
 * The next tokens of a row whose earlier ones are in {@code cache}.
 *
 * @param ids at least one
 * @param contextLength tokens that are known of the row, {@code ids} included: where the rotary
 *     embedding depends on a length (dynamic, longrope), it is this one
 * @param adapter the row's, by which the cached tokens were computed as well
 */
@SuppressWarnings("ArrayRecordComponent") // an operand, never compared
public record Continuation(KvCache cache, int[] ids, int contextLength, Optional<Adapter> adapter) {

  public Continuation {
    if (ids.length == 0 || contextLength < cache.length() + ids.length) {
      throw new IllegalArgumentException(
          ids.length + " tokens behind " + cache.length() + " of a row of " + contextLength);
    }
  }

  /** The next tokens of a row without adapter. */
  public Continuation(KvCache cache, int[] ids, int contextLength) {
    this(cache, ids, contextLength, Optional.empty());
  }

  /** The next tokens, behind which none is known. */
  public static Continuation of(KvCache cache, int... ids) {
    return new Continuation(cache, ids, cache.length() + ids.length);
  }

  /** The same of a row with that adapter. */
  public Continuation with(Optional<Adapter> other) {
    return new Continuation(cache, ids, contextLength, other);
  }
}
