package io.sirocco.sampling;

import java.util.Arrays;

/**
 * Buffers that grow to the size of the vocabulary and the longest row, for any number of rows that
 * one thread handles one after the other. Holds nothing between calls; not for several threads.
 */
public final class SamplingWorkspace {
  private final Candidates candidates = new Candidates();
  private final TopRanks top = new TopRanks();
  private long[] seen = {};
  private int[] integers = {};
  private float[] distances = {};
  private float[][] rows = {};

  Candidates candidates() {
    return candidates;
  }

  TopRanks top() {
    return top;
  }

  /** A bit per id, all clear; whoever sets one clears it. */
  long[] seen(int vocabularySize) {
    int words = (vocabularySize + Long.SIZE - 1) / Long.SIZE;
    if (seen.length < words) {
      seen = new long[words];
    }
    return seen;
  }

  /** At least {@code length} integers, of any value. */
  int[] integers(int length) {
    if (integers.length < length) {
      integers = new int[Math.max(length, 2 * integers.length)];
    }
    return integers;
  }

  /** At least {@code length} numbers, of any value. */
  float[] distances(int length) {
    if (distances.length < length) {
      distances = new float[length];
    }
    return distances;
  }

  /** A row of scores per beam, each of exactly {@code vocabularySize}, of any value. */
  float[][] rows(int beams, int vocabularySize) {
    if (rows.length < beams) {
      rows = Arrays.copyOf(rows, beams);
    }
    for (int beam = 0; beam < beams; beam++) {
      if (rows[beam] == null || rows[beam].length != vocabularySize) {
        rows[beam] = new float[vocabularySize];
      }
    }
    return rows;
  }
}
