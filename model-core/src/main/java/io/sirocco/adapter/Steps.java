package io.sirocco.adapter;

import io.sirocco.checkpoint.ModelException;

/**
 * How much may be spent on an adapter's patterns, a step being one position of a name that one part
 * of a pattern looks at. Most take some thousands; one pattern for each module of 88 layers, as
 * ranks found by EVA have, takes some millions.
 */
final class Steps {
  private static final int MOST = 20_000_000;

  private final String where;
  private int left = MOST;

  /** {@code where} names the patterns in errors. */
  Steps(String where) {
    this.where = where;
  }

  /** {@code positions}: bit i is position i. */
  void take(long positions) {
    left -= Math.max(1, Long.bitCount(positions));
    if (left < 0) {
      throw new ModelException(
          where,
          "its patterns of module names take more than "
              + MOST
              + " steps; name the modules in a list instead");
    }
  }
}
