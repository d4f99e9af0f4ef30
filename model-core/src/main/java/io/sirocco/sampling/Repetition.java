package io.sirocco.sampling;

/** Processors against repeating what the row already has, prompt included. */
final class Repetition {
  private Repetition() {}

  /**
   * repetition_penalty: divides the positive and multiplies the negative scores of all ids seen.
   */
  record Penalty(float penalty, SamplingWorkspace workspace) implements ScoreProcessor {
    @Override
    public void apply(int[] ids, int length, float[] scores) {
      long[] seen = workspace.seen(scores.length);
      for (int at = 0; at < length; at++) {
        int id = ids[at];
        if ((seen[id / Long.SIZE] & (1L << id)) == 0) {
          seen[id / Long.SIZE] |= 1L << id;
          scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
        }
      }
      for (int at = 0; at < length; at++) {
        seen[ids[at] / Long.SIZE] = 0;
      }
    }
  }

  /**
   * no_repeat_ngram_size: bans the ids that would repeat a sequence of {@code size} ids. Finds the
   * last {@code size - 1} ids in the row in linear time (Knuth, Morris, Pratt).
   */
  record Ngrams(int size, SamplingWorkspace workspace) implements ScoreProcessor {
    @Override
    public void apply(int[] ids, int length, float[] scores) {
      int known = size - 1;
      if (known >= length) {
        return;
      }
      int start = length - known;
      int[] borders = workspace.integers(known);
      fillBorders(ids, start, known, borders);
      int matched = 0;
      for (int at = 0; at < length; at++) {
        if (matched == known) {
          scores[ids[at]] = Float.NEGATIVE_INFINITY;
          matched = known == 0 ? 0 : borders[known - 1];
        }
        while (known > 0 && ids[start + matched] != ids[at] && matched > 0) {
          matched = borders[matched - 1];
        }
        if (known > 0 && ids[start + matched] == ids[at]) {
          matched++;
        }
      }
    }

    /** borders[i]: the longest proper prefix of the pattern's first i + 1 ids that ends them. */
    private static void fillBorders(int[] ids, int start, int known, int[] borders) {
      int border = 0;
      if (known > 0) {
        borders[0] = 0;
      }
      for (int at = 1; at < known; at++) {
        while (border > 0 && ids[start + border] != ids[start + at]) {
          border = borders[border - 1];
        }
        if (ids[start + border] == ids[start + at]) {
          border++;
        }
        borders[at] = border;
      }
    }
  }
}
