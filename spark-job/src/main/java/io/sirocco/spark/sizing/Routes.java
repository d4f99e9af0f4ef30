package io.sirocco.spark.sizing;

import java.util.Arrays;
import org.apache.spark.sql.api.java.UDF3;
import org.apache.spark.sql.catalyst.expressions.Murmur3HashFunction;
import org.apache.spark.sql.types.DataTypes;

/**
 * Which partition a row goes to. All rows lie along a line, a token being one unit of it: the
 * longest class first, within a class in the order of a hash. The tasks' shares are slices of the
 * line. So every task has about its share, and the longest rows, which are the first partitions',
 * are begun first.
 *
 * <p>It depends on the row and on the partition it was read in alone, so that a task that is tried
 * again sends every row to the same place.
 */
final class Routes implements UDF3<Long, Long, Integer, Integer> {
  private static final long serialVersionUID = 1L;

  /** Spark's, for hash partitioning. */
  private static final long SEED = 42;

  private static final double HASHES = 0x1p-53;

  /** By class: where its rows begin on the line, and for how many tokens they go on. */
  private final long[] starts = new long[Work.CLASSES];

  private final long[] lengths = new long[Work.CLASSES];
  private final long[] ends;
  private final int[] keys;

  /** {@code ends}: those of the slices, ascending; at least one. */
  Routes(Work work, long[] ends) {
    this.ends = ends.clone();
    this.keys = keys(ends.length);
    long start = 0;
    for (int length = Work.CLASSES - 1; length >= 0; length--) {
      starts[length] = start;
      lengths[length] = work.tokensByClass().get(length);
      start += lengths[length];
    }
  }

  int partitions() {
    return ends.length;
  }

  /** The key that hash partitioning sends to the row's partition. */
  @Override
  public Integer call(Long tokens, Long hash, Integer readIn) {
    return keys[partition(tokens, mixed(hash + readIn))];
  }

  /** {@code hash}: evenly spread. */
  int partition(long tokens, long hash) {
    int length = Work.classOf(tokens);
    long at = starts[length] + (long) ((hash >>> 11) * HASHES * lengths[length]);
    int found = Arrays.binarySearch(ends, at);
    // A slice's end belongs to the next one.
    return Math.min(found >= 0 ? found + 1 : -found - 1, ends.length - 1);
  }

  /** Equal rows of different input partitions shall part: the finalizer of SplitMix64. */
  private static long mixed(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /** For each partition, an integer whose hash leads there. */
  private static int[] keys(int partitions) {
    int[] keys = new int[partitions];
    boolean[] found = new boolean[partitions];
    for (int key = 0, left = partitions; left > 0; key++) {
      long hash = Murmur3HashFunction.hash(key, DataTypes.IntegerType, SEED);
      int partition = Math.floorMod((int) hash, partitions);
      if (!found[partition]) {
        found[partition] = true;
        keys[partition] = key;
        left--;
      }
    }
    return keys;
  }
}
