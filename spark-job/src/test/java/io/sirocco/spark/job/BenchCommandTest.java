package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
  private static final List<String> FIELDS =
      List.of(
          "test",
          "geometry",
          "layers",
          "precision",
          "kernels",
          "batch",
          "tokens_per_second",
          "gflops",
          "gigabytes_per_second",
          "peak_gflops",
          "peak_gigabytes_per_second",
          "fraction_of_peak",
          "repetitions",
          "spread");

  @TempDir private Path folder;

  @Test
  void everyTestGivesALinePerBatch() throws IOException {
    CommandLineRun run =
        bench("--tests=pp16,tg4,tg4@d8,pp8+tg4,pp8+tg4@shared,batching", "--batch=1,3");

    assertThat(run.out()).contains("fraction", "pp16", "tg4@d8", "in a continuous one");
    List<String> tests = new ArrayList<>();
    for (JsonNode result : lines()) {
      tests.add(result.get("test").asText() + " of " + result.get("batch").asInt());
      assertThat(result.get("precision").asText()).isEqualTo("float32");
      if (result.get("test").asText().equals("batching")) {
        assertThat(result.get("new_tokens").asLong()).isPositive();
        assertThat(result.get("gain").asDouble()).isPositive();
      } else {
        assertSpeed(result);
      }
    }
    assertThat(tests)
        .containsExactly(
            "pp16 of 1",
            "tg4 of 1",
            "tg4 of 3",
            "tg4@d8 of 1",
            "tg4@d8 of 3",
            "pp8+tg4 of 1",
            "pp8+tg4 of 3",
            "pp8+tg4@shared of 1",
            "pp8+tg4@shared of 3",
            "batching of 1",
            "batching of 3");
    assertThat(lines().get(5).get("prompt_tokens_per_second").asDouble()).isPositive();
    assertThat(lines().get(5).get("new_tokens_per_second").asDouble()).isPositive();
  }

  @Test
  void classifyAndJobComputeTheSameTokens() throws IOException {
    SparkSession spark = LocalSpark.builder("local[2]").getOrCreate();
    try {
      bench("--tests=classify,job", "--rows=24", "--job-copies=1,2", "--threads=2");
    } finally {
      spark.stop();
    }

    List<JsonNode> lines = lines();
    assertThat(lines).hasSize(3);
    lines.forEach(BenchCommandTest::assertSpeed);
    JsonNode classify = lines.get(0);
    JsonNode job = lines.get(1);
    assertThat(classify.get("test").asText()).isEqualTo("classify");
    assertThat(job.get("test").asText()).isEqualTo("job");
    assertThat(classify.get("rows").asInt()).isEqualTo(24);
    assertThat(job.get("tokens")).isEqualTo(classify.get("tokens"));
    assertThat(lines.get(2).get("tokens").asDouble())
        .isEqualTo(2 * classify.get("tokens").asDouble());
    assertThat(job.get("seconds_compute").asDouble()).isPositive();
    assertThat(job.get("job_of_classify").asDouble())
        .isPositive()
        .isLessThanOrEqualTo(job.get("compute_of_classify").asDouble());
  }

  @Test
  void aProfileIsPrintedForEachTest() throws IOException {
    CommandLineRun run = bench("--tests=pp16,classify", "--rows=8", "--profile");

    assertThat(run.out())
        .contains("pp16 float32", "classify float32", "attention", "between operations");
  }

  @Test
  void thePictureIsDrawn() throws Exception {
    Path picture = folder.resolve("lengths.svg");
    CommandLineRun run = bench("--picture=" + picture, "--lengths=64,128");

    assertThat(run.out()).contains("forward64", "forward128");
    assertThat(lines()).hasSize(2);
    assertThat(lines().get(1).get("plain_bytes").asLong()).isPositive();
    assertThat(
            DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(picture.toFile())
                .getElementsByTagName("circle")
                .getLength())
        .isEqualTo(8);
  }

  @Test
  void anyModelCanBeMeasured() throws IOException {
    CommandLineRun run =
        CommandLineRun.of(
            "bench",
            "--checkpoint=../sample-data/ticket-classifier",
            "--tests=pp16,classify",
            "--rows=4",
            "--repetitions=1",
            "--json=" + json());

    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    assertThat(lines())
        .allSatisfy(
            line -> {
              assertThat(line.get("geometry").asText()).isEqualTo("ticket-classifier");
              assertThat(line.get("layers").asInt()).isEqualTo(4);
            });
  }

  @Test
  void aFolderThatHoldsAnotherModelIsRefused() {
    CommandLineRun run =
        CommandLineRun.of(
            "bench", "--checkpoint=../sample-data/ticket-classifier", "--geometry=mistral-7b");

    assertThat(run.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(run.err()).contains("hidden_size 128", "4096");
  }

  @Test
  void aFileThatCannotBeWrittenIsFoundBeforeMeasuring() {
    CommandLineRun run =
        CommandLineRun.of("bench", "--geometry=tiny", "--json=" + folder.resolve("no/such/file"));

    assertThat(run.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(run.err()).contains("--json", "cannot be written");
  }

  private CommandLineRun bench(String... options) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "bench",
                "--geometry=tiny",
                "--layers=1",
                "--precision=float32",
                "--repetitions=1",
                "--checkpoint=" + folder.resolve("model"),
                "--json=" + json()));
    arguments.addAll(List.of(options));
    CommandLineRun run = CommandLineRun.of(arguments.toArray(new String[0]));
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    return run;
  }

  private Path json() {
    return folder.resolve("bench.jsonl");
  }

  private List<JsonNode> lines() throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(json())) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  private static void assertSpeed(JsonNode result) {
    List<String> names = new ArrayList<>();
    result.fieldNames().forEachRemaining(names::add);
    assertThat(names).containsAll(FIELDS).doesNotContain("details").doesNotHaveDuplicates();
    for (String rate :
        List.of("tokens_per_second", "gflops", "gigabytes_per_second", "peak_gflops")) {
      assertThat(result.get(rate).asDouble()).as(rate).isPositive();
    }
    assertThat(result.get("fraction_of_peak").asDouble()).isBetween(0.0, 2.0);
    assertThat(result.get("repetitions").asInt()).isEqualTo(1);
  }
}
