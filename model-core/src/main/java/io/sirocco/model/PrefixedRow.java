package io.sirocco.model;

import java.util.Optional;

/**
 * A row, the first tokens of which need not be computed.
 *
 * @param shared how many: {@link SharedPrefix#sharedBy} says how many can be
 * @param prefix their keys and values, if there are any; it may hold more tokens, and stays the
 *     caller's
 * @param adapter the row's, by which the prefix was computed as well
 */
public record PrefixedRow(
    TokenRow row, int shared, Optional<KvCache> prefix, Optional<Adapter> adapter) {

  public PrefixedRow {
    int held = prefix.map(KvCache::length).orElse(0);
    if (shared < 0 || shared > held || shared >= row.length()) {
      throw new IllegalArgumentException(
          shared + " of " + row.length() + " tokens are shared, but " + held + " are there");
    }
  }

  /** All of it is to be computed. */
  public static PrefixedRow whole(TokenRow row) {
    return whole(row, Optional.empty());
  }

  /** All of it is to be computed, with that adapter. */
  public static PrefixedRow whole(TokenRow row, Optional<Adapter> adapter) {
    return new PrefixedRow(row, 0, Optional.empty(), adapter);
  }

  /** Tokens that are computed. */
  public int computed() {
    return row.length() - shared;
  }
}
