package io.sirocco.spark.sizing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RoutesTest {
  private static Work work(long[] rows) {
    List<Long> byClass = new ArrayList<>(Collections.nCopies(Work.CLASSES, 0L));
    long all = 0;
    for (long tokens : rows) {
      int length = Work.classOf(tokens);
      byClass.set(length, byClass.get(length) + tokens);
      all += tokens;
    }
    return new Work(rows.length, 1, all, byClass);
  }

  @Test
  void classesAreBinaryLogarithms() {
    assertThat(Work.classOf(0)).isZero();
    assertThat(Work.classOf(1)).isZero();
    assertThat(Work.classOf(2)).isEqualTo(1);
    assertThat(Work.classOf(1023)).isEqualTo(9);
    assertThat(Work.classOf(1024)).isEqualTo(10);
    assertThat(Work.classOf(Long.MAX_VALUE)).isEqualTo(62);
  }

  @Test
  void sharesAreTheTargetAndTaperOffTowardsTheEnd() {
    long[] rows = new long[10_000];
    Arrays.fill(rows, 100);

    long[] ends = new TaskTarget(100_000, 12_500, 2).slices(work(rows));

    assertThat(ends).isSorted();
    assertThat(ends[0]).isEqualTo(100_000);
    assertThat(ends[ends.length - 1]).isEqualTo(1_000_000);
    long before = Long.MAX_VALUE;
    for (int i = 1; i < ends.length - 1; i++) {
      long share = ends[i] - ends[i - 1];
      assertThat(share).isBetween(12_500L, Math.min(before, 100_000L));
      before = share;
    }
    assertThat(ends[ends.length - 1] - ends[ends.length - 2]).isBetween(6_250L, 18_750L);
  }

  @Test
  void noJobHasMoreTasksThanADriverCanKeep() {
    long[] rows = new long[1000];
    Arrays.fill(rows, 1_000_000);

    assertThat(new TaskTarget(1, 1, 8).slices(work(rows)).length).isBetween(50_000, 100_000);
  }

  @Test
  void everyPartitionGetsItsShareAndTheLongestRowsComeFirst() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    long[] rows = random.longs(200_000, 1, 40).toArray();
    for (int i = 0; i < rows.length; i += 100) {
      rows[i] *= 100;
    }
    Work work = work(rows);
    long[] ends = new TaskTarget(work.tokens() / 20, work.tokens() / 160, 2).slices(work);
    Routes routes = new Routes(work, ends);

    long[] tokens = new long[ends.length];
    long[] longest = new long[ends.length];
    for (long row : rows) {
      int partition = routes.partition(row, random.nextLong());
      tokens[partition] += row;
      longest[partition] = Math.max(longest[partition], row);
    }

    for (int i = 0; i < ends.length; i++) {
      double share = ends[i] - (i == 0 ? 0 : ends[i - 1]);
      // The most uneven share has some 25 of the longest rows: five times what chance does to it.
      assertThat(tokens[i]).as("partition %s, seed %s", i, seed).isBetween(0L, (long) (2 * share));
      assertThat((double) tokens[i]).as("partition %s, seed %s", i, seed).isGreaterThan(share / 4);
      // Rows of a class, and of the two that a boundary falls between, have no order.
      assertThat(longest[i]).isLessThanOrEqualTo(4 * longest[0]);
      if (i > 0) {
        assertThat(Work.classOf(longest[i])).isLessThanOrEqualTo(Work.classOf(longest[i - 1]));
      }
    }
  }

  @Test
  void partitionsThatAreGoodEnoughStay() {
    Work even = new Work(100, 10, 1_000, work(new long[] {10_000}).tokensByClass());

    assertThat(new TaskTarget(1_000, 100, 2).metBy(even)).isTrue();
    assertThat(new TaskTarget(500, 100, 2).metBy(even)).isTrue();
    assertThat(new TaskTarget(499, 100, 2).metBy(even)).as("too large").isFalse();
    Work crumbs = new Work(100, 100, 100, even.tokensByClass());
    assertThat(new TaskTarget(10_000, 10_000, 2).metBy(crumbs)).as("too many").isFalse();
    assertThat(new TaskTarget(10_000, 10_000, 2).slices(crumbs)).as("a slot each").hasSize(2);
    assertThat(new TaskTarget(1, 1, 1).metBy(Work.NONE)).as("nothing to do").isTrue();
  }
}
