package io.sirocco.spark.exec;

import static org.apache.spark.sql.functions.expr;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tasks share one engine, hold little of their partition, and give back what they took. */
class StreamingTest {
  private static final long MEBIBYTE = 1 << 20;
  private static SparkSession spark;

  @BeforeAll
  static void startSpark() {
    spark = TicketModel.spark("local[2]");
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  @AfterEach
  void nothingLeaks() {
    ExecutorEngine.closeIdle();
    assertThat(ExecutorEngine.openEngines()).isZero();
  }

  private static Dataset<Row> tickets() {
    return spark
        .read()
        .schema("id string, text string")
        .json(TicketModel.SAMPLES + "tickets.jsonl");
  }

  private static Dataset<Row> classify(Dataset<Row> rows) {
    return DataFrameTask.results(
        rows,
        RowColumns.of(new ModelInput.Text("text")),
        TicketModel.float32(),
        RowCounters.none());
  }

  @Test
  void aPartitionThatIsNotReadToItsEndLeaksNothing() {
    Dataset<Row> rows = tickets().coalesce(1);

    assertThat(classify(rows).limit(3).collectAsList()).hasSize(3);

    ExecutorEngine.closeIdle();
    assertThat(ExecutorEngine.openEngines()).isZero();
  }

  @Test
  void aTaskThatFailsBehindTheClassifierLeaksNothing() {
    Dataset<Row> failing =
        classify(tickets()).withColumn("boom", expr("if(id = 't-0300', raise_error('boom'), 1)"));

    assertThatThrownBy(failing::collectAsList).hasStackTraceContaining("boom");

    ExecutorEngine.closeIdle();
    assertThat(ExecutorEngine.openEngines()).isZero();
  }

  @Test
  void aKilledTaskStopsAndLeaksNothing() throws Exception {
    Dataset<Row> many = classify(tickets().crossJoin(spark.range(500).toDF("n")));
    CompletableFuture<Long> job =
        CompletableFuture.supplyAsync(
            () -> {
              boolean interrupt = true;
              spark.sparkContext().setJobGroup("kill", "to be killed", interrupt);
              return many.filter("status = 'ok'").count();
            });
    await(() -> ExecutorEngine.openEngines() == 1);
    Thread.sleep(500);
    assertThat(job).isNotDone();

    spark.sparkContext().cancelJobGroup("kill");

    assertThatThrownBy(job::join).hasStackTraceContaining("cancelled");
    await(
        () -> {
          ExecutorEngine.closeIdle();
          return ExecutorEngine.openEngines() == 0;
        });
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("still waiting").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  @Test
  void jobsSideBySideShareOneEngine() {
    Dataset<Row> rows = classify(tickets().limit(400).repartition(4));

    long counted =
        List.of(1, 2, 3).parallelStream().mapToLong(job -> rows.collectAsList().size()).sum();

    assertThat(counted).isEqualTo(1200);
    assertThat(ExecutorEngine.openEngines()).isEqualTo(1);
  }

  @Test
  void memoryDoesNotGrowWithThePartition() {
    Dataset<Row> tickets = tickets().coalesce(1).localCheckpoint();
    long few = peakAfter(classify(tickets));
    Dataset<Row> many = tickets.crossJoin(spark.range(0, 6, 1, 1).toDF("n")).coalesce(1);

    assertThat(peakAfter(classify(many))).isLessThan(few + 8 * MEBIBYTE);
  }

  private static long peakAfter(Dataset<Row> rows) {
    assertThat(rows.filter("status = 'ok'").count()).isPositive();
    try (ExecutorEngine.Lease lease = TicketModel.lease(TicketModel.float32().engine())) {
      return lease.engine().allocator().getPeakMemoryAllocation();
    }
  }
}
