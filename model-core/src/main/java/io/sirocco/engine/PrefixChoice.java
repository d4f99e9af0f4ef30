package io.sirocco.engine;

import io.sirocco.kernel.Precision;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.SharedPrefix;
import java.util.Arrays;

/**
 * Which prefix rows share: known from the beginning, or learned from the first rows, once. Which
 * rows these are changes what is saved, and no answer. Safe for any number of threads.
 */
final class PrefixChoice {
  /** So many pairs of rows that have something in common decide on the prefix. */
  private static final int PAIRS = 8;

  private final MistralConfig config;
  private final int most;
  private volatile SharedPrefix prefix;

  /** Guarded by this, as what follows: the row before, until a prefix is known. */
  private int[] before = {};

  private int pairs;
  private SharedPrefix shortest;

  private PrefixChoice(MistralConfig config, int most, SharedPrefix prefix) {
    this.config = config;
    this.most = most;
    this.prefix = prefix;
    this.shortest = prefix;
  }

  /** No tokens: rows share nothing. */
  static PrefixChoice of(MistralConfig config, int[] ids) {
    SharedPrefix known = new SharedPrefix(config, ids);
    return new PrefixChoice(config, known.length(), known);
  }

  /**
   * What the first rows begin with, {@code most} tokens of it: rows that have nothing in common
   * with the one before do not count.
   */
  static PrefixChoice learned(MistralConfig config, int most) {
    return new PrefixChoice(config, most, new SharedPrefix(config, new int[0]));
  }

  /** The prefix for a row that has come with these tokens; an empty one if none is known yet. */
  SharedPrefix after(int[] row) {
    SharedPrefix known = prefix;
    return known.length() > 0 || most == 0 ? known : learn(row);
  }

  /** Equal rows say nothing about where what is common ends. */
  private synchronized SharedPrefix learn(int[] row) {
    if (prefix.length() == 0 && !Arrays.equals(before, row)) {
      int different = Arrays.mismatch(before, row);
      int common = Math.min(most, different);
      SharedPrefix found = new SharedPrefix(config, Arrays.copyOf(row, common));
      if (found.length() > 0) {
        pairs++;
        shortest = shortest.length() == 0 || found.length() < shortest.length() ? found : shortest;
      }
      before = row.clone();
      prefix = pairs < PAIRS ? prefix : shortest;
    }
    return prefix;
  }

  /** The one that rows which share anything have been read with. */
  SharedPrefix known() {
    return prefix;
  }

  /** Tokens of it; if it is yet to be learned, at most. */
  int mostTokens() {
    return most;
  }

  /** The most that its keys and values can take. */
  long bytes(Precision precision) {
    return prefix.length() > 0
        ? prefix.bytes(precision)
        : SharedPrefix.mostBytes(config, precision, most);
  }
}
