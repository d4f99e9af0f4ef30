package io.sirocco.spark.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.engine.PrecisionChoice;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.sampling.GenerationOptions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A row's text depends on the row, not on what is written beside it. */
class GenerateInvarianceTest {
  /** {@code -Dsirocco.invariance.rows=200} takes all prompts, in about four minutes. */
  private static final int ROWS = Integer.getInteger("sirocco.invariance.rows", 60);

  private static final int NEW_TOKENS = 24;
  private static final RowColumns COLUMNS =
      RowColumns.of(new ModelInput.Text("text")).withKey("id");
  private static SparkSession spark;

  private record Case(GenerationOptions options, PrecisionChoice precision) {}

  static Stream<Case> cases() {
    return Stream.of(
        new Case(WriterModel.greedy(NEW_TOKENS), PrecisionChoice.FLOAT32),
        new Case(WriterModel.sampled(NEW_TOKENS), PrecisionChoice.FLOAT32),
        new Case(WriterModel.sampled(NEW_TOKENS), PrecisionChoice.BFLOAT16));
  }

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
  @MethodSource("cases")
  void textsAreTheSameToTheLastBitHoweverTheWorkIsCut(Case one) {
    if (one.precision() == PrecisionChoice.BFLOAT16 && !OneDnnKernels.multipliesBfloat16()) {
      System.out.println("GenerateInvarianceTest: no bfloat16 on this processor, not run");
      return;
    }
    Dataset<Row> rows = WriterModel.prompts(spark, 4).limit(ROWS).localCheckpoint();
    List<List<Byte>> reference = List.of();
    for (int threads : List.of(1, 2)) {
      for (int maxSequences : List.of(64, 8, 1)) {
        RowSettings settings =
            WriterModel.settings(
                WriterModel.engine(
                    WriterModel.task(one.options(), maxSequences), one.precision(), threads),
                WriterModel.ALL_COLUMNS);
        for (int partitions : List.of(1, 5)) {
          List<List<Byte>> results = written(rows.repartition(partitions), settings);
          reference = reference.isEmpty() ? results : reference;
          assertThat(results.equals(reference))
              .as("%s, %s threads, %s texts, %s partitions", one, threads, maxSequences, partitions)
              .isTrue();
        }
      }
    }
    assertThat(reference).hasSize(ROWS);
  }

  private static List<List<Byte>> written(Dataset<Row> rows, RowSettings settings) {
    RunTotals totals = new RunTotals();
    spark.sparkContext().register(totals, "totals");
    List<List<Byte>> results =
        DataFrameTask.results(
                InvarianceTest.failing(rows, 0), COLUMNS, settings, RowCounters.into(totals))
            .transform(written -> InvarianceTest.failing(written, 1))
            .collectAsList()
            .stream()
            .sorted(Comparator.comparing((Row row) -> row.<String>getAs("id")))
            .map(InvarianceTest::bytes)
            .toList();
    assertThat(totals.value().rowsOk()).as("counted once in spite of the retry").isEqualTo(ROWS);
    return results;
  }
}
