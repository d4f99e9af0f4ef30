package io.sirocco.adapter;

import io.sirocco.checkpoint.ModelException;

/** How much may be spent on an adapter's patterns: real ones take some thousand steps. */
final class Steps {
  private static final int MOST = 100_000_000;

  private final String where;
  private int left = MOST;

  /** {@code where} names the patterns in errors. */
  Steps(String where) {
    this.where = where;
  }

  void take() {
    if (--left < 0) {
      throw new ModelException(
          where,
          "its patterns of module names take more than "
              + MOST
              + " steps; name the modules in a list instead");
    }
  }
}
