package io.sirocco.spark.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.spark.LocalSpark;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.api.java.function.ForeachFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A task that cannot end before somebody has seen it at work. */
class RunningTotalsTest {
  private static final CountDownLatch SEEN = new CountDownLatch(1);

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void rowsCountBeforeTheirTaskEndsAndOnceAfterwards() throws Exception {
    SparkSession spark =
        LocalSpark.builder("local[1]")
            .config("spark.executor.heartbeatInterval", "200ms")
            .getOrCreate();
    RunTotals ended = new RunTotals();
    spark.sparkContext().register(ended, "totals");
    try (RunningTotals running = RunningTotals.follow(spark.sparkContext(), ended)) {
      Dataset<Row> tickets =
          spark.read().schema("id string, text string").json(TicketModel.SAMPLES + "tickets.jsonl");
      Dataset<Row> results =
          DataFrameTask.results(
              tickets.coalesce(1),
              RowColumns.of(new ModelInput.Text("text")),
              TicketModel.float32(),
              RowCounters.into(ended));
      ForeachFunction<Row> waitAtTheEnd =
          row -> {
            if (row.getString(0).equals("t-1200")) {
              SEEN.await();
            }
          };
      CompletableFuture<Void> job = CompletableFuture.runAsync(() -> results.foreach(waitAtTheEnd));

      while (running.now().rows() < 1200) {
        assertThat(job.isDone()).isFalse();
        assertThat(ended.value().rows()).isZero();
        TimeUnit.MILLISECONDS.sleep(20);
      }
      SEEN.countDown();
      job.get();
      assertThat(ended.value().rows()).isEqualTo(1200);
    } finally {
      spark.stop();
      ExecutorEngine.closeIdle();
    }
  }
}
