package io.sirocco.spark.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.engine.PrecisionChoice;
import io.sirocco.kernel.onednn.OneDnnKernels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A row's results depend on the row, not on what it is computed together with. */
class InvarianceTest {
  private static final int ROWS = 300;
  private static SparkSession spark;

  @BeforeAll
  static void startSpark() {
    spark = TicketModel.spark("local[2,3]");
    spark.sparkContext().setLogLevel("ERROR");
  }

  @AfterAll
  static void stopSpark() {
    ExecutorEngine.closeIdle();
    spark.stop();
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void resultsAreTheSameToTheLastBitHoweverTheWorkIsCut(PrecisionChoice precision) {
    if (precision == PrecisionChoice.BFLOAT16 && !OneDnnKernels.multipliesBfloat16()) {
      System.out.println("InvarianceTest: this processor does not multiply bfloat16, not run");
      return;
    }
    Dataset<Row> rows =
        spark
            .read()
            .schema("id string, text string")
            .json(TicketModel.SAMPLES + "tickets.jsonl")
            .limit(ROWS)
            .localCheckpoint();
    List<List<Byte>> reference = List.of();
    for (int threads : List.of(1, 2)) {
      for (int batchTokens : List.of(256, 2048, 8192)) {
        RowSettings settings =
            TicketModel.settings(TicketModel.engine(precision, threads, batchTokens), "");
        for (int partitions : List.of(1, 7, 32)) {
          List<List<Byte>> results = classified(rows.repartition(partitions), settings);
          reference = reference.isEmpty() ? results : reference;
          assertThat(results.equals(reference))
              .as(
                  "%s, %s threads, %s tokens, %s partitions",
                  precision, threads, batchTokens, partitions)
              .isTrue();
        }
      }
    }
    assertThat(reference).hasSize(ROWS);
  }

  private static List<List<Byte>> classified(Dataset<Row> rows, RowSettings settings) {
    RunTotals totals = new RunTotals();
    spark.sparkContext().register(totals, "totals");
    List<List<Byte>> results =
        DataFrameTask.results(
                failing(rows, 0),
                RowColumns.of(new ModelInput.Text("text")),
                settings,
                RowCounters.into(totals))
            .transform(classified -> failing(classified, 1))
            .collectAsList()
            .stream()
            .sorted(Comparator.comparing((Row row) -> row.<String>getAs("id")))
            .map(InvarianceTest::bytes)
            .toList();
    assertThat(totals.value().rows()).as("counted once in spite of the retry").isEqualTo(ROWS);
    assertThat(totals.value().rowsOk()).isEqualTo(ROWS);
    return results;
  }

  /** The attempt fails when it has read the first partition to its end. */
  static Dataset<Row> failing(Dataset<Row> rows, int attempt) {
    MapPartitionsFunction<Row, Row> failure =
        partition -> {
          TaskContext task = TaskContext.get();
          return new Iterator<>() {
            @Override
            public boolean hasNext() {
              if (partition.hasNext()) {
                return true;
              }
              if (task.partitionId() == 0 && task.attemptNumber() == attempt) {
                throw new IllegalStateException("attempt " + attempt + " fails by design");
              }
              return false;
            }

            @Override
            public Row next() {
              return partition.next();
            }
          };
        };
    return rows.mapPartitions(failure, Encoders.row(rows.schema()));
  }

  /** The row's values alone, floats by their bits. */
  static List<Byte> bytes(Row row) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      for (int column = 0; column < row.length(); column++) {
        out.writeUnshared(row.get(column));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<Byte> boxed = new ArrayList<>();
    for (byte one : bytes.toByteArray()) {
      boxed.add(one);
    }
    return boxed;
  }
}
