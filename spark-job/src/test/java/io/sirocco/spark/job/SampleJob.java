package io.sirocco.spark.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.spark.LocalSpark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Runs the sample job with settings of its own, on a Spark within the test. */
abstract class SampleJob {
  static final String SAMPLES = "../sample-data/";
  static SparkSession spark;

  @TempDir Path folder;

  @BeforeAll
  static void startSpark() {
    spark = LocalSpark.builder("local[2]").getOrCreate();
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  String output() {
    return folder.resolve("out").toString();
  }

  /** The sample job, on the paths of this module, with an output of its own. */
  CommandLineRun run(String... settings) {
    return run(List.of(settings));
  }

  CommandLineRun run(List<String> settings, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model.path=" + SAMPLES + "ticket-classifier",
                "input.path=" + SAMPLES + "tickets.jsonl",
                "output.path=" + output()));
    all.addAll(settings);
    return CommandLineRun.job("../configs/classify-tickets.yaml", all, more);
  }

  List<Row> results() {
    return spark.read().parquet(output()).collectAsList();
  }

  JsonNode record() throws IOException {
    return new ObjectMapper().readTree(folder.resolve("out/_sirocco/run.json").toFile());
  }
}
