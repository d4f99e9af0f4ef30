package io.sirocco.spark.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.spark.LocalSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which rows count as done, by what files hold of them. */
class DurableResultsTest {
  private static final int SAMPLES = 3;
  private static final StructType TYPE = StructType.fromDDL("sample_index int, status string");
  private static SparkSession spark;

  @TempDir Path folder;

  @BeforeAll
  static void startSpark() {
    spark = LocalSpark.builder("local[1]").getOrCreate();
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  private static Row result(String row, Integer sample, String status) {
    return RowFactory.create(row.getBytes(StandardCharsets.UTF_8), sample, status);
  }

  private static void add(DurableResults durable, Row... results) throws IOException {
    StructType type =
        StructType.fromDDL(DurableResults.ROW + " binary, sample_index int, status string");
    Dataset<Row> rows = spark.createDataFrame(List.of(results), type);
    durable.write(rows, durable.begin("{}"));
  }

  private static List<String> done(DurableResults durable, FailedRows failed) throws IOException {
    return durable.done(spark, failed).collectAsList().stream()
        .map(row -> new String(row.<byte[]>getAs(0), StandardCharsets.UTF_8))
        .sorted()
        .toList();
  }

  /** As the beginning of a torn file that can still be read. */
  @Test
  void aRowWithoutItsLastSampleIsNotDone() throws IOException {
    DurableResults durable =
        new OutputTarget(folder.resolve("out").toString(), new Configuration())
            .durable("0", new DurableResults.Results(TYPE, SAMPLES));

    add(
        durable,
        result("whole", 0, "ok"),
        result("whole", 1, "ok"),
        result("whole", 2, "ok"),
        result("failed", null, "failed"),
        result("torn", 0, "ok"),
        result("torn", 1, "ok"));

    assertThat(done(durable, FailedRows.KEEP)).containsExactly("failed", "whole");
    assertThat(done(durable, FailedRows.RETRY)).containsExactly("whole");

    add(durable, result("torn", 0, "ok"), result("torn", 1, "ok"), result("torn", 2, "ok"));

    assertThat(done(durable, FailedRows.KEEP)).containsExactly("failed", "torn", "whole");
    assertThat(durable.newest(spark).count()).isEqualTo(3 + 1 + 3);
  }
}
