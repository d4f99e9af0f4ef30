package io.sirocco.spark.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.sampling.GenerationKey;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tasks that write hold little of their partition, and give back what they took. */
class GenerateStreamingTest {
  private static final long MEBIBYTE = 1 << 20;
  private static final RowColumns COLUMNS = RowColumns.of(new ModelInput.Text("text"));
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

  private static Dataset<Row> written(Dataset<Row> rows, RowSettings settings) {
    return DataFrameTask.results(rows, COLUMNS, settings, RowCounters.none());
  }

  @Test
  void aKilledTaskFreesItsRowsWhileTheEngineGoesOn() throws Exception {
    boolean endless = true;
    RowSettings settings =
        WriterModel.generate(
            WriterModel.greedy(1_000_000).with(GenerationKey.IGNORE_EOS, endless),
            WriterModel.ALL_COLUMNS);
    try (ExecutorEngine.Lease lease = TicketModel.lease(settings.engine())) {
      BufferAllocator keysAndValues =
          lease.engine().allocator().getChildAllocators().stream()
              .filter(child -> child.getName().equals("kv-cache"))
              .findFirst()
              .orElseThrow();
      Dataset<Row> many = written(WriterModel.prompts(spark, 50), settings);
      CompletableFuture<Long> job =
          CompletableFuture.supplyAsync(
              () -> {
                boolean interrupt = true;
                spark.sparkContext().setJobGroup("kill", "to be killed", interrupt);
                return many.filter("status = 'ok'").count();
              });
      await(() -> keysAndValues.getAllocatedMemory() > 0);
      assertThat(job).isNotDone();

      spark.sparkContext().cancelJobGroup("kill");

      assertThatThrownBy(job::join).hasStackTraceContaining("cancelled");
      await(() -> keysAndValues.getAllocatedMemory() == 0);
    }
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("still waiting").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  @Test
  void aPartitionThatIsNotReadToItsEndLeaksNothing() {
    RowSettings settings = WriterModel.generate(WriterModel.greedy(8), WriterModel.ALL_COLUMNS);

    assertThat(written(WriterModel.prompts(spark, 10).coalesce(1), settings).limit(3).count())
        .isEqualTo(3);
  }

  @Test
  void memoryDoesNotGrowWithThePartition() {
    RowSettings settings = WriterModel.generate(WriterModel.greedy(8), WriterModel.ALL_COLUMNS);
    long few = peakAfter(written(WriterModel.prompts(spark, 3).coalesce(1), settings), settings);

    assertThat(peakAfter(written(WriterModel.prompts(spark, 18).coalesce(1), settings), settings))
        .isLessThan(few + 8 * MEBIBYTE);
  }

  private static long peakAfter(Dataset<Row> rows, RowSettings settings) {
    assertThat(rows.filter("status = 'ok'").count()).isPositive();
    try (ExecutorEngine.Lease lease = TicketModel.lease(settings.engine())) {
      return lease.engine().allocator().getPeakMemoryAllocation();
    }
  }
}
