package io.sirocco.spark.sizing;

import java.util.stream.LongStream;

/**
 * How much a task shall do, in tokens by estimate.
 *
 * @param most of a task
 * @param least of a task: those that run last may be this small, so that all slots end together
 * @param slots tasks that the cluster runs at the same time
 */
public record TaskTarget(long most, long least, int slots) {
  /** A partition that is no larger than so many targets may stay as it is. */
  private static final int TOLERATED = 2;

  /** Partitions this many times more than needed cost more to start than they are worth. */
  private static final long TOO_MANY = 8;

  /** What a driver can still keep account of. */
  private static final long MOST_TASKS = 100_000;

  public TaskTarget {
    if (most < 1 || least < 1 || least > most || slots < 1) {
      throw new IllegalArgumentException(
          "most " + most + ", least " + least + ", slots " + slots + " of a task");
    }
  }

  /** Whether the partitions are good enough as they are. */
  public boolean metBy(Work work) {
    return work.largest() <= TOLERATED * limit(most, work)
        && work.partitions() <= TOO_MANY * Math.max(slots, slices(work).length);
  }

  /**
   * Where the tasks' shares of {@code work.tokens()} end, ascending: shares of {@code most}, which
   * become smaller towards the end, down to {@code least}, as the work left becomes less.
   */
  long[] slices(Work work) {
    // Where rows move anyway, every slot shall have some.
    long most = Math.min(limit(this.most, work), Math.max(1, work.tokens() / slots));
    long least = Math.min(limit(this.least, work), most);
    LongStream.Builder ends = LongStream.builder();
    long total = work.tokens();
    for (long end = 0; end < total; ends.add(end)) {
      long left = total - end;
      long share = Math.min(most, Math.max(least, left / (2L * slots)));
      // What would remain for a task of its own must be worth one.
      end = left - share < least / 2 ? total : end + Math.min(share, left);
    }
    return ends.build().toArray();
  }

  private static long limit(long tokens, Work work) {
    return Math.max(tokens, work.tokens() / MOST_TASKS);
  }
}
