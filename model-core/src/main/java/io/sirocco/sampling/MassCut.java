package io.sirocco.sampling;

import java.util.Arrays;

/**
 * Where, in ascending order of rank, the accumulated weight first exceeds a limit. Many entries are
 * not sorted: they are counted into buckets by the leading bits of their rank, and only the bucket
 * where it happens is.
 */
final class MassCut {
  /** As many are sorted as they are. */
  private static final int SORTED_AT_ONCE = 1024;

  /** Sign, exponent and five bits of the mantissa. */
  private static final int BUCKET_BITS = 14;

  private static final int BUCKETS = 1 << BUCKET_BITS;

  private final double[] weightOf = new double[BUCKETS];
  private long[] sorted = {};

  /**
   * The rank of the first entry at which the sum of weights, rounded to float as the reference's
   * cumsum is, exceeds {@code limit}; of the last entry if it never does.
   *
   * @param ranks [count] by position, as {@link TopRanks#laterFirst} makes them
   * @param weights [count] by position, none negative or not a number
   */
  long firstAbove(long[] ranks, float[] weights, int count, float limit) {
    if (sorted.length < count) {
      sorted = new long[count];
    }
    if (count <= SORTED_AT_ONCE) {
      System.arraycopy(ranks, 0, sorted, 0, count);
      return firstAboveAmong(weights, count, 0, limit);
    }
    Arrays.fill(weightOf, 0);
    for (int at = 0; at < count; at++) {
      weightOf[bucketOf(ranks[at])] += weights[positionOf(ranks[at])];
    }
    double before = 0;
    int bucket = 0;
    while (bucket < BUCKETS - 1 && (float) (before + weightOf[bucket]) <= limit) {
      before += weightOf[bucket++];
    }
    int members = gather(ranks, count, bucket);
    return members > 0
        ? firstAboveAmong(weights, members, before, limit)
        : Arrays.stream(ranks, 0, count).max().orElseThrow();
  }

  private int gather(long[] ranks, int count, int bucket) {
    int members = 0;
    for (int at = 0; at < count; at++) {
      if (bucketOf(ranks[at]) == bucket) {
        sorted[members++] = ranks[at];
      }
    }
    return members;
  }

  private long firstAboveAmong(float[] weights, int members, double before, float limit) {
    Arrays.sort(sorted, 0, members);
    double sum = before;
    for (int at = 0; at < members; at++) {
      sum += weights[positionOf(sorted[at])];
      if ((float) sum > limit) {
        return sorted[at];
      }
    }
    return sorted[members - 1];
  }

  private static int bucketOf(long rank) {
    return (int) ((rank >> (Long.SIZE - BUCKET_BITS)) + BUCKETS / 2);
  }

  private static int positionOf(long rank) {
    return (int) rank;
  }
}
