package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
  @TempDir private Path folder;

  @Test
  void everyTestGivesALinePerBatch() throws IOException {
    Path json = folder.resolve("bench.jsonl");
    CommandLineRun run =
        CommandLineRun.of(
            "bench",
            "--geometry=tiny",
            "--layers=1",
            "--precision=float32",
            "--tests=pp16,tg4@d8,batching",
            "--batch=1,3",
            "--repetitions=1",
            "--checkpoint=" + folder.resolve("model"),
            "--json=" + json);

    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    assertThat(run.out()).contains("fraction", "pp16", "tg4@d8", "in a continuous one");
    List<String> tests = new ArrayList<>();
    for (String line : Files.readAllLines(json)) {
      JsonNode result = new ObjectMapper().readTree(line);
      tests.add(result.get("test").asText() + " of " + result.get("batch").asInt());
      assertThat(result.get("precision").asText()).isEqualTo("float32");
      if (result.get("test").asText().equals("batching")) {
        assertThat(result.get("new_tokens").asLong()).isPositive();
        assertThat(result.get("gain").asDouble()).isPositive();
      } else {
        assertThat(result.get("tokens_per_second").asDouble()).isPositive();
        assertThat(result.get("fraction_of_peak").asDouble()).isBetween(0.0, 2.0);
      }
    }
    assertThat(tests)
        .containsExactly(
            "pp16 of 1", "tg4@d8 of 1", "tg4@d8 of 3", "batching of 1", "batching of 3");
  }

  @Test
  void aFileThatCannotBeWrittenIsFoundBeforeMeasuring() {
    CommandLineRun run =
        CommandLineRun.of("bench", "--geometry=tiny", "--json=" + folder.resolve("no/such/file"));

    assertThat(run.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(run.err()).contains("--json", "cannot be written");
  }
}
