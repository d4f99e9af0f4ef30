package io.sirocco.spark.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.output.DurableResults;
import io.sirocco.spark.output.FailedRows;
import io.sirocco.spark.output.OutputTarget;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Finds the rows that a resumed job has to compute, among as many keys as {@code
 * -Dsirocco.resume.keys} says; prints time and peak heap.
 */
class ResumePlanTest {
  private static final long KEYS = Long.getLong("sirocco.resume.keys", 200_000);
  private static final long MISSING_ONE_IN = 10;
  private static final RowIdentity IDENTITY =
      new RowIdentity(List.of(EngineColumns.TEXT), List.of(EngineColumns.TEXT));

  @TempDir Path folder;

  @Test
  void theMissingRowsAreFoundByAJoin() throws IOException {
    SparkSession spark = LocalSpark.builder("local[2]").getOrCreate();
    try {
      DurableResults durable =
          new OutputTarget(folder.resolve("out").toString(), new Configuration())
              .durable("0", new DurableResults.Results(StructType.fromDDL("status string"), 1));
      Dataset<Row> rows = IDENTITY.added(rows(spark));
      int attempt = durable.begin("{}");
      durable.write(
          rows.filter("id % " + MISSING_ONE_IN + " > 0")
              .select(functions.col(DurableResults.ROW), functions.lit("ok").as("status")),
          attempt);
      resetPeaks();
      long start = System.nanoTime();

      long missing = new MissingRows(IDENTITY, durable, FailedRows.KEEP).of(rows).count();

      System.out.printf(
          Locale.ROOT,
          "ResumePlanTest: %,d keys, %,d of them missing, planned in %.1f s, peak heap %,d MiB of"
              + " %,d MiB%n",
          KEYS,
          missing,
          (System.nanoTime() - start) * 1e-9,
          peak() >> 20,
          Runtime.getRuntime().maxMemory() >> 20);
      assertThat(missing).isEqualTo((KEYS + MISSING_ONE_IN - 1) / MISSING_ONE_IN);
    } finally {
      spark.stop();
    }
  }

  private static Dataset<Row> rows(SparkSession spark) {
    return spark
        .range(KEYS)
        .withColumn(
            EngineColumns.TEXT, functions.concat(functions.lit("row "), functions.col("id")));
  }

  private static void resetPeaks() {
    ManagementFactory.getMemoryPoolMXBeans().forEach(MemoryPoolMXBean::resetPeakUsage);
  }

  /** Of the heap's parts, which need not have had their peaks at one time: an upper bound. */
  private static long peak() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getType() == MemoryType.HEAP)
        .mapToLong(pool -> pool.getPeakUsage().getUsed())
        .sum();
  }
}
