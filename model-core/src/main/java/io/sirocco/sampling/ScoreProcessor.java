package io.sirocco.sampling;

/** Changes the scores of the next token by what precedes it. */
@FunctionalInterface
interface ScoreProcessor {
  /**
   * Changes {@code scores}.
   *
   * @param ids the row so far, prompt included, in its first {@code length} entries
   * @param scores [vocabulary] float32, changed in place
   */
  void apply(int[] ids, int length, float[] scores);
}
