package io.sirocco.model;

import io.sirocco.kernel.Precision;
import java.util.Arrays;

/**
 * Tokens that many rows begin with, and how many of them a row can take over with their keys and
 * values, so that every bit of its result is as if it had been computed whole. Immutable.
 *
 * <p>All of them can be taken over by a row that begins with all of them, computed for rows of its
 * {@link #variant}. A row that begins with some of them can take over the whole attention blocks
 * among these, which are the same in every row.
 */
public final class SharedPrefix {
  /** What is shorter is not worth a copy. */
  private static final int FEWEST = AttentionBlocks.QUERIES / 8;

  /** A part of one token would be computed in another way than as one of many. */
  static final int FEWEST_OWN = 2;

  /** Of a prefix that ends in a row's first block: as many as it has numbers of slots. */
  private static final long MOST_VARIANTS = 5;

  /** Of others: slots of later blocks come in steps of half a block at least. */
  private static final long LATER_VARIANTS = 2;

  private final MistralConfig config;
  private final AttentionBlocks blocks;
  private final RotaryFrequencies rotary;
  private final int[] ids;
  private final float[] frequencies;

  public SharedPrefix(MistralConfig config, int[] ids) {
    this.config = config;
    this.blocks = new AttentionBlocks(config.slidingWindow());
    this.rotary = RotaryFrequencies.of(config);
    this.ids = ids.length < FEWEST ? new int[0] : ids.clone();
    this.frequencies = rotary.inverseFrequencies(this.ids.length);
  }

  /** Tokens; none if there are too few to be worth it. */
  public int length() {
    return ids.length;
  }

  /**
   * How many tokens the row can take over.
   *
   * @param row its ids; all are attended to
   * @param most tokens before the first one whose hidden state is wanted
   */
  public int sharedBy(int[] row, int most) {
    int shared = Math.min(Math.min(ids.length, most), row.length - FEWEST_OWN);
    int common = shared > 0 ? Arrays.mismatch(ids, 0, shared, row, 0, shared) : 0;
    shared = common < 0 ? shared : common;
    if (shared < ids.length) {
      shared -= shared % AttentionBlocks.QUERIES;
    }
    return shared >= FEWEST && hasSameRotation(row.length) ? shared : 0;
  }

  /** The most tokens, fewer than {@code shared}, that any row can take over. */
  public static int fewer(int shared) {
    return (shared - 1) / AttentionBlocks.QUERIES * AttentionBlocks.QUERIES;
  }

  /** Where frequencies depend on a row's length, keys of other rows may not be this row's. */
  private boolean hasSameRotation(int rowLength) {
    return Arrays.equals(frequencies, rotary.inverseFrequencies(rowLength));
  }

  /** Rows of equal variants have the same keys and values of the whole prefix. */
  int variant(int rowLength) {
    return blocks.slotsOfLast(ids.length, rowLength);
  }

  int[] ids() {
    return ids;
  }

  /** An upper bound of {@link #bytes} for any prefix of so many tokens at most. */
  public static long mostBytes(MistralConfig config, Precision precision, int tokens) {
    if (tokens == 0) {
      return 0;
    }
    // A window of one token puts every block's slots where those of the first one are.
    boolean everyBlock = config.slidingWindow().orElse(Integer.MAX_VALUE) == 1;
    int first = everyBlock ? tokens : Math.min(tokens, AttentionBlocks.QUERIES);
    return Math.max(
        Math.multiplyExact(MOST_VARIANTS, KvCache.prefixBytes(config, precision, first)),
        Math.multiplyExact(LATER_VARIANTS, KvCache.prefixBytes(config, precision, tokens)));
  }

  /** An upper bound of what keys and values of all variants take together. */
  public long bytes(Precision precision) {
    if (ids.length == 0) {
      return 0;
    }
    int blockEnd = (ids.length / AttentionBlocks.QUERIES + 1) * AttentionBlocks.QUERIES;
    int variants = 0;
    int before = 0;
    for (int rowLength = ids.length + FEWEST_OWN; rowLength <= blockEnd + 1; rowLength++) {
      variants += variant(rowLength) == before ? 0 : 1;
      before = variant(rowLength);
    }
    return Math.multiplyExact(variants, KvCache.prefixBytes(config, precision, ids.length));
  }
}
