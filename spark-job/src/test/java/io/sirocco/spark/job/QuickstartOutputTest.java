package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.spark.LocalSpark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * What the README's first command left, in the folder that the system property names: a row for
 * each ticket, with the reference's label.
 */
@EnabledIfSystemProperty(
    named = QuickstartOutputTest.OUTPUT,
    matches = ".+",
    disabledReason = "checks the results of a run that is not part of this build")
class QuickstartOutputTest {
  static final String OUTPUT = "sirocco.quickstart.output";
  private static final String SAMPLES = "../sample-data/";

  @Test
  void theSampleTicketsAreThereWithTheReferencesLabels() throws IOException {
    Path output = Path.of(System.getProperty(OUTPUT));
    SparkSession spark = LocalSpark.builder("local[2]").getOrCreate();
    try {
      Map<String, Row> results =
          spark.read().parquet(output.toString()).collectAsList().stream()
              .collect(Collectors.toMap(row -> row.getAs("id"), row -> row));
      List<Row> tickets = spark.read().json(SAMPLES + "tickets.jsonl").collectAsList();
      List<Row> expected = spark.read().json(SAMPLES + "expected-classify.jsonl").collectAsList();

      assertThat(results).hasSize(1200);
      for (Row ticket : tickets) {
        Row result = results.get(ticket.<String>getAs("id"));
        assertThat(result.<String>getAs("text")).isEqualTo(ticket.getAs("text"));
        assertThat(result.<String>getAs("status")).isEqualTo("ok");
      }
      assertThat(expected).hasSize(200);
      for (Row reference : expected) {
        assertThat(results.get(reference.<String>getAs("id")).<String>getAs("predicted_label"))
            .isEqualTo(reference.getAs("label"));
      }
      assertThat(output.resolve("_SUCCESS")).exists();
      assertThat(
              new ObjectMapper()
                  .readTree(output.resolve("_sirocco/run.json").toFile())
                  .at("/counts/ok")
                  .asInt())
          .isEqualTo(1200);
      System.out.println("QuickstartOutputTest: 1200 rows, 200 of 200 labels as expected");
    } finally {
      spark.stop();
    }
  }
}
