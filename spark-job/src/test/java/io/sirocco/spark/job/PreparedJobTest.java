package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.spark.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a job says of weights that it brings into another form. */
class PreparedJobTest {
  private static final String SAMPLES = "../sample-data/";

  @TempDir private Path folder;

  @Test
  void theFirstJobSaysWhatItPreparedAndTheNextFindsIt() throws IOException {
    assumeTrue(
        OneDnnKernels.multipliesBfloat16(),
        "this processor does not multiply bfloat16: packed and int8 weights are not tested");
    SparkSession spark =
        LocalSpark.builder("local[2]")
            .config("spark.sirocco.cache.dir", folder.resolve("cache").toString())
            .getOrCreate();
    try {
      CommandLineRun first = run("first", 512);
      assertThat(first.err()).isEmpty();
      assertThat(first.out())
          .containsPattern("(?m)^prepared     .*: weights of \\S+ \\S+ for int8 in ");
      assertThat(executor("first").path("prepared_bytes").asLong()).isPositive();

      CommandLineRun second = run("second", 768);
      assertThat(second.err()).isEmpty();
      assertThat(second.out()).doesNotContain("prepared     ");
      assertThat(executor("second").path("prepared_bytes").asLong(-1)).isZero();
    } finally {
      spark.stop();
    }
  }

  @Test
  void weightsThatFindNoRoomInTheCacheEndTheJob() {
    assumeTrue(
        OneDnnKernels.multipliesBfloat16(),
        "this processor does not multiply bfloat16: packed and int8 weights are not tested");
    SparkSession spark =
        LocalSpark.builder("local[2]")
            .config("spark.sirocco.cache.dir", folder.resolve("small").toString())
            .config("spark.sirocco.cache.maxSize", "100k")
            .getOrCreate();
    try {
      CommandLineRun run = run("refused", 640);
      assertThat(run.exitCode()).isEqualTo(3);
      assertThat(run.err())
          .contains("prepared weights in " + folder.resolve("small/prepared"))
          .contains("spark.sirocco.cache.maxSize allows 0.1 MiB");
      assertThat(folder.resolve("refused")).doesNotExist();
    } finally {
      spark.stop();
    }
  }

  @Test
  void textsAreWrittenWithStoredWeightsWherePackedOnesFindNoRoom() {
    assumeTrue(
        OneDnnKernels.multipliesBfloat16(),
        "this processor does not multiply bfloat16: packed and int8 weights are not tested");
    Path cache = folder.resolve("tiny");
    SparkSession spark =
        LocalSpark.builder("local[2]")
            .config("spark.sirocco.cache.dir", cache.toString())
            .config("spark.sirocco.cache.maxSize", "100k")
            .getOrCreate();
    try {
      CommandLineRun run = texts(4);
      assertThat(run.err()).isEmpty();
      assertThat(run.exitCode()).isZero();
      assertThat(run.out())
          .contains("packed ones", "for which there is no room in " + cache.resolve("prepared"))
          .doesNotContain("prepared     ");
      assertThat(cache.resolve("prepared")).doesNotExist();
    } finally {
      spark.stop();
    }
  }

  @Test
  void whatAnExecutorDoesOtherwiseThanPlannedIsSaidWithItsHost() throws IOException {
    assumeTrue(
        OneDnnKernels.multipliesBfloat16(),
        "this processor does not multiply bfloat16: packed and int8 weights are not tested");
    Path cache = folder.resolve("locked");
    Files.createFile(Files.createDirectories(cache.resolve("prepared")).resolve(".locks"));
    SparkSession spark =
        LocalSpark.builder("local[2]")
            .config("spark.sirocco.cache.dir", cache.toString())
            .getOrCreate();
    try {
      CommandLineRun run = texts(3);
      assertThat(run.exitCode()).isZero();
      assertThat(run.out())
          .containsPattern(
              "(?m)^note         on \\S+: weights are read as they are stored: .* cannot be kept: ")
          .contains("stored weights");
    } finally {
      spark.stop();
    }
  }

  /** Another number of new tokens is another engine. */
  private CommandLineRun texts(int newTokens) {
    return CommandLineRun.job(
        "../configs/generate-tickets.yaml",
        List.of(
            "model.path=" + SAMPLES + "ticket-writer",
            "generate.max-new-tokens=" + newTokens,
            "input.path=" + SAMPLES + "prompts.jsonl",
            "output.path=" + folder.resolve("texts")));
  }

  /** Another batch size is another engine. */
  private CommandLineRun run(String output, int batchTokens) {
    return CommandLineRun.job(
        "../configs/classify-tickets.yaml",
        List.of(
            "model.path=" + SAMPLES + "ticket-classifier",
            "model.precision=int8",
            "batch.max-tokens=" + batchTokens,
            "input.path=" + SAMPLES + "tickets.jsonl",
            "output.path=" + folder.resolve(output)));
  }

  private JsonNode executor(String output) throws IOException {
    JsonNode record =
        new ObjectMapper().readTree(folder.resolve(output + "/_sirocco/run.json").toFile());
    return record.path("executors").path(0);
  }
}
