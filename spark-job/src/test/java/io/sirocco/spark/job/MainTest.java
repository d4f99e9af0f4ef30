package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

/** The command line over the sample data and a real Spark. */
class MainTest extends SampleJob {
  @Test
  void theSampleTicketsAreClassifiedAsTheReferenceClassifiesThem() throws IOException {
    CommandLineRun run = run("model.precision=float32", "output.logits=true");

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isEqualTo(ExitCode.DONE);
    Map<String, Row> rows =
        results().stream().collect(Collectors.toMap(row -> row.getAs("id"), row -> row));
    assertThat(rows).hasSize(1200);
    List<Row> expected = spark.read().json(SAMPLES + "expected-classify.jsonl").collectAsList();
    assertThat(expected).hasSize(200);
    for (Row reference : expected) {
      Row row = rows.get(reference.<String>getAs("id"));
      assertThat(row.<String>getAs("predicted_label")).isEqualTo(reference.getAs("label"));
      List<Float> logits = row.getList(row.fieldIndex("logits"));
      List<Double> wanted = reference.getList(reference.fieldIndex("logits"));
      assertThat(logits).hasSameSizeAs(wanted);
      for (int label = 0; label < wanted.size(); label++) {
        assertThat((double) logits.get(label)).isCloseTo(wanted.get(label), within(1e-3));
      }
    }
    assertThat(run.out())
        .contains("# effective configuration", "fingerprint", "1,200 rows: 1,200 ok, 0 failed")
        .contains("t-0001", "predicted_label", "label    billing");
    assertThat(folder.resolve("out/_SUCCESS")).exists();
    assertThat(record().at("/counts/ok").asLong()).isEqualTo(1200);
    assertThat(record().at("/configuration/model/precision").asText()).isEqualTo("float32");
    assertThat(record().at("/model/fingerprint").asText()).matches("[0-9a-f]{64}");
    assertThat(record().at("/versions/spark").asText()).isEqualTo(spark.version());
  }

  @Test
  void dirtyRowsComeOutAndCountAgainstTheFailureRate() throws IOException {
    String dirty = "input.path=" + SAMPLES + "tickets-dirty.jsonl";

    CommandLineRun run = run(dirty, "errors.max-failure-rate=0.05");

    assertThat(run.exitCode()).isEqualTo(ExitCode.TOO_MANY_FAILURES);
    assertThat(run.err()).contains("4 of 40 rows failed", "errors.max-failure-rate 0.05");
    assertThat(run.out()).contains("40 rows: 36 ok, 4 failed");
    Map<String, String> codes = new TreeMap<>();
    for (Row row : results()) {
      if (row.<String>getAs("status").equals("failed")) {
        codes.put(row.getAs("id"), row.<Row>getAs("error").getAs("code"));
      }
    }
    assertThat(results()).hasSize(40);
    assertThat(codes)
        .isEqualTo(
            Map.of(
                "d-0004", "null-text",
                "d-0009", "empty-text",
                "d-0014", "empty-text",
                "d-0019", "too-long"));
    assertThat(record().at("/counts/failed_by_code/empty-text").asLong()).isEqualTo(2);
    assertThat(run(dirty, "output.mode=overwrite", "errors.max-failure-rate=0.1").exitCode())
        .isEqualTo(ExitCode.DONE);
  }

  @Test
  void mistakesEndWithCodeTwoAndSayWhatToDo() throws IOException {
    assertMistake("input.path=/no/such/file", "input.path is '/no/such/file'");
    assertMistake("input.text-column=txt", "input.text-column is 'txt'", "channel");
    assertMistake("input.key-columns=[nr]", "input.key-columns is 'nr'");
    assertMistake("input.table=no_such_table", "exactly one of path and table");
    assertMistake("input.path=foo://x/y", "input.path or output.path", "foo");
    assertMistake("output.path=foo://x/y", "input.path or output.path", "foo");
    assertMistake("output.path=a:b", "output.path is 'a:b'");
    assertMistake("output.path=" + folder + "/out[1]", "output.path is", "pattern");
    assertMistake("output.path=/proc/none/x", "output.path is '/proc/none/x'");
    assertMistake("input.schema=id strng", "input.schema is 'id strng'");
    assertMistake("input.schema=id string, text string, x void", "column `x` is 'void'", "Parquet");
    Path hidden = Files.writeString(folder.resolve("hidden.jsonl"), "{\"__sirocco_text\": 1}");
    assertMistake("input.path=" + hidden, "__sirocco_text", "rename it");
    Path empty = Files.createFile(folder.resolve("empty.jsonl"));
    assertMistake("input.path=" + empty, "which has none", "set input.schema");
    assertMistake("model.precison=auto", "did you mean model.precision?");
    Path taken = folder.resolve("taken.jsonl");
    Files.writeString(taken, "{\"text\": \"a\", \"Status\": 1}\n", StandardCharsets.UTF_8);
    CommandLineRun conflict = run("input.path=" + taken, "input.key-columns=null");
    assertThat(conflict.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(conflict.err()).contains("output.prefix", "Status");
    CommandLineRun renamed =
        run("input.path=" + taken, "input.key-columns=null", "output.prefix=model_");
    assertThat(renamed.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(results().get(0).schema().fieldNames()).contains("Status", "model_status");
  }

  private void assertMistake(String setting, String... words) {
    CommandLineRun run = run(setting);
    assertThat(run.exitCode()).as(setting).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(run.err()).startsWith("configuration: ").contains(words);
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void theCommandLineItselfIsChecked() {
    assertThat(CommandLineRun.of("run").exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(CommandLineRun.of("run").err()).contains("--config");
    assertThat(CommandLineRun.of("walk").exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(CommandLineRun.of().exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(CommandLineRun.of("--help").out()).contains("run", "bench", "Exit codes", "4");
    assertThat(CommandLineRun.of("--version").out()).startsWith("sirocco ");
    assertThat(CommandLineRun.of("bench", "--tests", "xy").exitCode())
        .isEqualTo(ExitCode.CONFIGURATION);
    CommandLineRun other =
        CommandLineRun.of(
            "bench", "--checkpoint", SAMPLES + "ticket-classifier", "--geometry", "mistral-7b");
    assertThat(other.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(other.err()).contains("--geometry");
  }

  @Test
  void aDryRunPlansAndWritesNothing() {
    CommandLineRun run =
        run(
            List.of("input.path=" + SAMPLES + "tickets-dirty.jsonl", "model.max-tokens=100"),
            "--dry-run");

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(run.out())
        .contains("memory", "sample       40 rows, 3 of them without text", "row length   median")
        .contains("predicted_score:double", "model.max-tokens 100: error")
        .doesNotContain("__sirocco_text")
        .containsPattern("over-long +[0-9.]+%");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void aDryRunFindsTheSameMistakes() {
    CommandLineRun run = run(List.of("input.text-column=txt"), "--dry-run");
    assertThat(run.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(run.err()).contains("input.text-column is 'txt'");
  }
}
