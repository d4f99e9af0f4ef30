package io.sirocco.spark.sizing;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.spark.LocalSpark;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.spark.api.java.function.ForeachPartitionFunction;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;

/**
 * How long one slot works alone at the end of a job whose long rows come last: Spark's own
 * scheduling of two slots, with tasks that wait in proportion to their tokens in place of
 * computing.
 */
class TailTest {
  private static final Column TOKENS = functions.length(functions.col("text"));
  private static final long TOKENS_PER_MILLISECOND = 100;

  /**
   * Of a job, in milliseconds.
   *
   * @param alone from the end of the slot that ended first to the end of the other
   * @param busy share of the slots' time that tasks took, in the job's last stage
   */
  private record Tail(long alone, double busy) {}

  /** The tasks that have ended. */
  private static final class Tasks extends SparkListener {
    private final Queue<SparkListenerTaskEnd> ended = new ConcurrentLinkedQueue<>();
    private final CountDownLatch done = new CountDownLatch(1);

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      ended.add(end);
    }

    @Override
    public void onJobEnd(SparkListenerJobEnd end) {
      done.countDown();
    }

    /** Of the last stage, in two slots. */
    Tail tail() throws InterruptedException {
      assertThat(done.await(1, TimeUnit.MINUTES)).isTrue();
      Map<Integer, List<SparkListenerTaskEnd>> stages =
          ended.stream().collect(Collectors.groupingBy(SparkListenerTaskEnd::stageId));
      List<SparkListenerTaskEnd> last = new TreeMap<>(stages).lastEntry().getValue();
      long begin =
          last.stream().mapToLong(task -> task.taskInfo().launchTime()).min().orElseThrow();
      List<Long> ends = last.stream().map(task -> task.taskInfo().finishTime()).sorted().toList();
      long end = ends.get(ends.size() - 1);
      long busy = last.stream().mapToLong(task -> task.taskInfo().duration()).sum();
      return new Tail(end - ends.get(ends.size() - 2), busy / 2.0 / (end - begin));
    }
  }

  private static Tail tail(SparkSession spark, Dataset<Row> rows) throws InterruptedException {
    Tasks tasks = new Tasks();
    spark.sparkContext().addSparkListener(tasks);
    ForeachPartitionFunction<Row> wait =
        partition -> {
          long tokens = 0;
          while (partition.hasNext()) {
            tokens += partition.next().<String>getAs("text").length();
          }
          Thread.sleep(tokens / TOKENS_PER_MILLISECOND);
        };
    rows.foreachPartition(wait);
    try {
      return tasks.tail();
    } finally {
      spark.sparkContext().removeSparkListener(tasks);
    }
  }

  @Test
  void noSlotWorksAloneForLong() throws IOException, InterruptedException {
    try (SparkSession spark = LocalSpark.builder("local[2]").getOrCreate()) {
      Dataset<Row> rows =
          spark
              .range(0, 20_000, 1, 4)
              .selectExpr("id", "repeat('word ', if(id >= 19800, 400, 4)) as text");
      Work work = TaskSizing.measure(rows, TOKENS);
      TaskTarget target = new TaskTarget(work.tokens() / 6, work.tokens() / 48, 2);

      Tail asRead = tail(spark, rows);
      Tail sized = tail(spark, TaskSizing.sized(rows, TOKENS, work, target));

      System.out.println("TailTest: as read " + asRead + ", sized " + sized);
      assertThat(asRead.alone()).isGreaterThan(2_500);
      assertThat(sized.alone()).isLessThan(asRead.alone() / 4);
      assertThat(sized.busy()).isGreaterThan(asRead.busy());
    }
  }
}
