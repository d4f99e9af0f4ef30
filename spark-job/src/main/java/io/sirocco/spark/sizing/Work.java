package io.sirocco.spark.sizing;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * How much there is to do, in tokens by estimate, and how it lies in partitions.
 *
 * @param rows all of them
 * @param partitions that have rows
 * @param largest tokens of the partition that has most
 * @param tokensByClass tokens of the rows of each length class, see {@link #classOf}; {@link
 *     #CLASSES} of them
 */
public record Work(long rows, long partitions, long largest, List<Long> tokensByClass)
    implements Serializable {
  /** A class for each bit of a long: rows of a class differ in length by less than a factor 2. */
  static final int CLASSES = Long.SIZE;

  public static final Work NONE = new Work(0, 0, 0, Collections.nCopies(CLASSES, 0L));

  public Work {
    tokensByClass = List.copyOf(tokensByClass);
  }

  /** The length class of a row of so many tokens: the binary logarithm, rounded down. */
  static int classOf(long tokens) {
    return CLASSES - 1 - Long.numberOfLeadingZeros(Math.max(1, tokens));
  }

  /** Of all rows. */
  public long tokens() {
    return tokensByClass.stream().mapToLong(Long::longValue).sum();
  }

  /** Of this and of other partitions. */
  Work plus(Work other) {
    List<Long> tokens = new ArrayList<>(CLASSES);
    for (int length = 0; length < CLASSES; length++) {
      tokens.add(tokensByClass.get(length) + other.tokensByClass.get(length));
    }
    return new Work(
        rows + other.rows, partitions + other.partitions, Math.max(largest, other.largest), tokens);
  }
}
