package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a job does with an output that exists, and never to its input. */
class MainOutputTest extends SampleJob {
  @Test
  void outputModesDoWhatSparkUsersExpect() {
    List<String> few = List.of("input.path=" + SAMPLES + "tickets-dirty.jsonl");
    assertThat(run(few).exitCode()).isEqualTo(ExitCode.DONE);

    CommandLineRun again = run(few);
    assertThat(again.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(again.err()).contains("output.path is '" + output() + "'", "overwrite, append");

    CommandLineRun ignored = run(few.get(0), "output.mode=ignore");
    assertThat(ignored.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(ignored.out()).contains("nothing done");

    assertThat(run(few.get(0), "output.mode=append").exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(results()).hasSize(80);
    assertThat(run(few.get(0), "output.mode=overwrite").exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(results()).hasSize(40);
  }

  @Test
  void anInputIsNeverOverwritten() throws IOException {
    Path input = Files.createDirectory(folder.resolve("in"));
    Files.writeString(input.resolve("a.jsonl"), "{\"id\": 1, \"text\": \"hello\"}\n");

    CommandLineRun run =
        run("input.path=" + input, "output.path=" + input, "output.mode=overwrite");

    assertThat(run.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(run.err()).contains("output.path", "apart from input.path");
    assertThat(input.resolve("a.jsonl")).exists();

    String glob = "input.path=" + folder + "/in/*";
    String within = "output.path=" + input.resolve("results");
    List<String> settings =
        List.of(glob, within, "output.mode=overwrite", "input.key-columns=null");
    assertThat(run(settings).exitCode()).isEqualTo(ExitCode.DONE);
    CommandLineRun again = run(settings);
    assertThat(again.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(again.err()).contains("apart from input.path", "in/results");
    assertThat(input.resolve("results/_SUCCESS")).exists();
  }

  @Test
  void anInputIsNotOverwrittenBehindLinksAndTablesEither() throws IOException {
    Path input = Files.createDirectory(folder.resolve("real"));
    Files.writeString(input.resolve("a.jsonl"), "{\"id\": 1, \"text\": \"hello\"}\n");
    Path link = Files.createSymbolicLink(folder.resolve("link"), input);
    assertApart(input, "input.path=" + link, "output.path=" + input);
    assertApart(input, "input.path=" + input, "output.path=" + link);

    Path parquet = folder.resolve("pärquet of the day");
    spark.read().json(input.toString()).write().parquet(parquet.toString());
    assertApart(
        parquet,
        "input.path=null",
        "input.table=parquet.`" + parquet + "`",
        "output.path=" + parquet);
  }

  private void assertApart(Path input, String... settings) throws IOException {
    List<String> all = new ArrayList<>(List.of(settings));
    all.addAll(List.of("output.mode=overwrite", "output.prefix=z_"));
    List<String> before = names(input);
    assertThat(run(all).exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(run(all, "--dry-run").exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(names(input)).isEqualTo(before).isNotEmpty();
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(Path::toString).sorted().toList();
    }
  }

  @Test
  void columnsOfTheInputWithNamesOfOtherTasksAreNotCounted() throws IOException {
    Path input = folder.resolve("others.jsonl");
    Files.writeString(
        input,
        """
        {"text": "My card was charged twice", "prompt_tokens": [1, 2], "sample_index": 7,\
         "generated_tokens": "many", "predicted_labels": ["old", "former"], "finish_reason": "x"}
        {"text": null, "prompt_tokens": [3], "sample_index": 8,\
         "generated_tokens": "none", "predicted_labels": ["old"], "finish_reason": "x"}
        """);

    CommandLineRun run = run("input.path=" + input, "input.key-columns=null");

    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    assertThat(run.out())
        .contains("2 rows: 1 ok, 1 failed; 6 tokens")
        .containsPattern("label +billing +1\n")
        .doesNotContainPattern("(?m)^  (label +(old|former)|finish)")
        .doesNotContain("finish_reason", "sample_index", "predicted_labels");
    CommandLineRun report = CommandLineRun.of("report", folder.resolve("out").toString());
    assertThat(report.exitCode()).as(report.out()).isEqualTo(ExitCode.DONE);
    assertThat(report.out()).doesNotContain("former");
  }

  @Test
  void aBrokenTokenizerIsFoundBeforeResultsAreReplaced() throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(Path.of(SAMPLES, "ticket-classifier", file), model.resolve(file));
    }
    Files.createDirectory(folder.resolve("out"));
    Path results = Files.writeString(folder.resolve("out/part.parquet"), "results of yesterday");
    String tokenizer = "{\"version\": \"1.0\", \"model\": {\"type\": \"Nope\"}}";
    Files.writeString(model.resolve("tokenizer.json"), tokenizer);

    CommandLineRun run = run("model.path=" + model, "output.mode=overwrite");

    assertThat(run.exitCode()).isEqualTo(ExitCode.MODEL);
    assertThat(run.err()).contains("tokenizer.json").hasLineCount(1);
    assertThat(results).exists();
  }
}
