package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QualityCommandTest {
  private static final String SAMPLES = "../sample-data/";

  @TempDir private Path folder;

  @Test
  void aClassifierIsComparedByItsLabels() throws IOException {
    Path tickets = folder.resolve("tickets.jsonl");
    Files.write(tickets, Files.readAllLines(Path.of(SAMPLES, "tickets.jsonl")).subList(0, 60));
    Path json = folder.resolve("quality.jsonl");
    CommandLineRun run =
        CommandLineRun.of(
            "quality",
            "--model=" + SAMPLES + "ticket-classifier",
            "--input=" + tickets,
            "--precision=bfloat16",
            "--kernels=java",
            "--json=" + json);

    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    assertThat(run.out()).contains("agreement", "accuracy", "float32", "bfloat16");
    List<String> lines = Files.readAllLines(json);
    assertThat(lines).hasSize(2);
    JsonNode bfloat16 = new ObjectMapper().readTree(lines.get(1));
    assertThat(bfloat16.get("rows").asInt()).isEqualTo(60);
    assertThat(bfloat16.get("agreement").asDouble()).isGreaterThan(0.95);
    assertThat(bfloat16.get("mean_change").asDouble()).isPositive().isLessThan(0.01);
    assertThat(bfloat16.get("accuracy").asDouble()).isGreaterThan(0.9);
    JsonNode float32 = new ObjectMapper().readTree(lines.get(0));
    assertThat(float32.get("accuracy").asDouble())
        .as("as the reference's labels have it")
        .isEqualTo(accuracyOfTheReference(60));
  }

  private static double accuracyOfTheReference(int rows) throws IOException {
    ObjectMapper json = new ObjectMapper();
    List<String> tickets = Files.readAllLines(Path.of(SAMPLES, "tickets.jsonl"));
    List<String> expected = Files.readAllLines(Path.of(SAMPLES, "expected-classify.jsonl"));
    int right = 0;
    for (int row = 0; row < rows; row++) {
      JsonNode gold = json.readTree(tickets.get(row)).get("label");
      right += gold.equals(json.readTree(expected.get(row)).get("label")) ? 1 : 0;
    }
    return (double) right / rows;
  }

  @Test
  void aWriterIsComparedByItsPerplexity() throws IOException {
    Path texts = folder.resolve("texts.jsonl");
    Files.write(
        texts, Files.readAllLines(Path.of(SAMPLES, "ticket-writer/samples.jsonl")).subList(0, 20));
    Path json = folder.resolve("quality.jsonl");
    CommandLineRun run =
        CommandLineRun.of(
            "quality",
            "--model=" + SAMPLES + "ticket-writer",
            "--input=" + texts,
            "--template=[INST] Write a support ticket about {category}. [/INST] {text}",
            "--precision=bfloat16",
            "--kernels=java",
            "--json=" + json);

    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    JsonNode bfloat16 = new ObjectMapper().readTree(Files.readAllLines(json).get(1));
    assertThat(bfloat16.get("perplexity").asDouble()).isBetween(1.0, 20.0);
    assertThat(bfloat16.get("perplexity_change").asDouble()).isBetween(-0.05, 0.05);
  }

  @Test
  void aLineThatIsNoRowIsNamed() throws IOException {
    Path texts = folder.resolve("texts.jsonl");
    Files.write(texts, List.of("{\"text\": \"fine\"}", "{\"body\": \"not here\"}"));
    CommandLineRun run =
        CommandLineRun.of(
            "quality", "--model=" + SAMPLES + "ticket-classifier", "--input=" + texts);

    assertThat(run.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(run.err()).contains("line 2", "column text is missing");
  }
}
