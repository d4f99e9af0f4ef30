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
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs with output.mode resume, over a real Spark. */
class ResumeTest {
  private static final String SAMPLES = "../sample-data/";
  private static SparkSession spark;
  private static List<String> tickets;

  @TempDir Path folder;
  private Path input;

  @BeforeAll
  static void startSpark() throws IOException {
    spark =
        LocalSpark.builder("local[2,3]").config("spark.sql.shuffle.partitions", "4").getOrCreate();
    Set<String> texts = new HashSet<>();
    ObjectMapper json = new ObjectMapper();
    List<String> distinct = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(SAMPLES, "tickets.jsonl"))) {
      if (texts.add(json.readTree(line).path("text").asText())) {
        distinct.add(line);
      }
    }
    tickets = distinct;
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  @BeforeEach
  void makeInput() throws IOException {
    input = Files.createDirectory(folder.resolve("in"));
  }

  private void give(String name, List<String> lines) throws IOException {
    Files.write(input.resolve(name), lines);
  }

  private CommandLineRun run(String... settings) {
    return run(List.of(settings));
  }

  private CommandLineRun run(List<String> settings, String... options) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model.path=" + SAMPLES + "ticket-classifier",
                "model.precision=float32",
                "input.path=" + input,
                "output.path=" + output(),
                "output.mode=resume"));
    all.addAll(settings);
    return CommandLineRun.job("../configs/classify-tickets.yaml", all, options);
  }

  private Path output() {
    return folder.resolve("out");
  }

  private JsonNode record() throws IOException {
    return new ObjectMapper().readTree(output().resolve("_sirocco/run.json").toFile());
  }

  private List<String> rows(Path where) {
    return spark.read().parquet(where.toString()).toJSON().collectAsList().stream()
        .sorted()
        .toList();
  }

  private long computed() throws IOException {
    return record().at("/this_run/rows").asLong();
  }

  @Test
  void onlyMissingAndChangedRowsAreComputed() throws IOException {
    give("a.jsonl", tickets.subList(0, 300));
    CommandLineRun first = run();
    assertThat(first.err()).isEmpty();
    assertThat(first.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(computed()).isEqualTo(300);
    assertThat(first.out()).contains("300 rows: 300 ok, 0 failed");
    assertThat(output().resolve("_SUCCESS")).exists();

    CommandLineRun again = run();
    assertThat(again.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(computed()).isZero();
    assertThat(again.out()).contains("300 rows: 300 ok", "this run asked the model for 0 of them");

    List<String> grown = new ArrayList<>(tickets.subList(0, 400));
    grown.set(7, grown.get(7).replace("\"text\": \"", "\"text\": \"Changed. "));
    grown.remove(3);
    give("a.jsonl", grown);
    assertThat(run().exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(computed()).isEqualTo(101);
    assertThat(record().at("/counts/rows").asLong()).isEqualTo(399);
    List<String> resumed = rows(output());

    Path whole = folder.resolve("whole");
    assertThat(run("output.path=" + whole).exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(resumed).isEqualTo(rows(whole));
    Path plain = folder.resolve("plain");
    assertThat(run("output.path=" + plain, "output.mode=error").exitCode())
        .isEqualTo(ExitCode.DONE);
    assertThat(resumed).isEqualTo(rows(plain));
  }

  @Test
  void optionsThatChangeAnswersComputeAllAgainAndOthersNothing() throws IOException {
    give("a.jsonl", tickets.subList(0, 50));
    run();
    run("batch.max-tokens=256", "output.prefix=p_", "errors.max-failure-rate=0.5");
    assertThat(computed()).isZero();
    assertThat(spark.read().parquet(output().toString()).columns()).contains("p_status");

    run("classify.top-k=2");
    assertThat(computed()).isEqualTo(50);
    try (Stream<Path> answers = Files.list(output().resolve("_sirocco/results"))) {
      assertThat(answers).as("results of other answers are of no use").hasSize(1);
    }
  }

  @Test
  void aColumnThatTheModelDoesNotReadIsTakenFromTheInputAsItIsNow() throws IOException {
    give("a.jsonl", tickets.subList(0, 20));
    run();
    give(
        "a.jsonl",
        tickets.subList(0, 20).stream()
            .map(line -> line.replaceFirst("\"channel\": \"[^\"]*\"", "\"channel\": \"fax\""))
            .toList());
    run();

    assertThat(computed()).isZero();
    assertThat(spark.read().parquet(output().toString()).filter("channel = 'fax'").count())
        .isEqualTo(20);
  }

  @Test
  void keysThatAreNotUniqueAreNamedBeforeTheWork() throws IOException {
    List<String> twice = new ArrayList<>(tickets.subList(0, 10));
    twice.addAll(tickets.subList(0, 1));
    give("a.jsonl", twice);

    CommandLineRun refused = run();
    assertThat(refused.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(refused.err()).contains("input.key-columns", "[\"t-0001\"] (2 rows)");

    assertThat(run("input.duplicate-keys=number").exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(rows(output())).hasSize(11);
    assertThat(computed()).as("equal rows are computed once").isEqualTo(10);
  }

  @Test
  void failedRowsStayFailedUntilTheyAreAskedForAgain() throws IOException {
    give("a.jsonl", Files.readAllLines(Path.of(SAMPLES, "tickets-dirty.jsonl")));
    CommandLineRun first = run("errors.keep=separate", "input.duplicate-keys=number");
    assertThat(first.exitCode()).as(first.err()).isEqualTo(ExitCode.DONE);
    assertThat(rows(output())).hasSize(36);
    assertThat(rows(output().resolve("_failed"))).hasSize(4);
    assertThat(record().at("/counts/failed").asLong()).isEqualTo(4);
    CommandLineRun report = CommandLineRun.of("report", output().toString());
    assertThat(report.exitCode()).as(report.out()).isEqualTo(ExitCode.DONE);
    assertThat(report.out()).contains("\"too-long\" : 1", "the counts that the run recorded");

    assertThat(run(List.of("input.duplicate-keys=number"), "--retry-failed").exitCode())
        .isEqualTo(ExitCode.DONE);
    assertThat(computed()).isEqualTo(4);
    assertThat(record().at("/attempts/1/missing").asLong()).isEqualTo(4);
    assertThat(rows(output())).hasSize(40);
    assertThat(output().resolve("_failed")).doesNotExist();

    run("input.duplicate-keys=number");
    assertThat(computed()).isZero();
    CommandLineRun other = run(List.of("output.mode=overwrite"), "--retry-failed");
    assertThat(other.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(other.err()).contains("--retry-failed", "output.mode: resume");
  }

  @Test
  void tooManyFailuresStopTheJobAndWhatIsDoneIsKept() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 4000; i++) {
      lines.add(
          "{\"id\": \"n-%d\", \"text\": %s}"
              .formatted(
                  i,
                  i % 2 == 0
                      ? "null"
                      : "\"row " + i + " of many that are read until the job is stopped\""));
    }
    for (int file = 0; file < 8; file++) {
      give("f" + file + ".jsonl", lines.subList(file * 500, file * 500 + 500));
    }
    CommandLineRun stopped = run("errors.max-failures=10", "input.schema='id string, text string'");

    assertThat(stopped.exitCode()).as(stopped.err()).isEqualTo(ExitCode.TOO_MANY_FAILURES);
    assertThat(stopped.err()).contains("errors.max-failures 10");
    CommandLineRun on = run("input.schema='id string, text string'");
    assertThat(on.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(record().at("/counts/rows").asLong()).isEqualTo(4000);
    assertThat(record().at("/counts/failed").asLong()).isEqualTo(2000);
  }

  /** However many of them there are by when, and also where nothing is left to compute. */
  @Test
  void aFewFailuresTooManyLeaveTheOutputAsItWas() throws IOException {
    give("a.jsonl", tickets.subList(0, 20));
    assertThat(run().exitCode()).isEqualTo(ExitCode.DONE);
    List<String> before = rows(output());
    List<String> grown = new ArrayList<>(tickets.subList(0, 20));
    grown.add("{\"id\": \"none\", \"text\": null}");
    give("a.jsonl", grown);

    for (int time = 0; time < 2; time++) {
      CommandLineRun stopped = run("errors.max-failures=0");
      assertThat(stopped.exitCode()).as(stopped.err()).isEqualTo(ExitCode.TOO_MANY_FAILURES);
      assertThat(rows(output())).isEqualTo(before);
      assertThat(output().resolve("_sirocco/stopped-run.json")).exists();
    }
    assertThat(run().exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(computed()).isZero();
    assertThat(rows(output())).hasSize(21);
    assertThat(output().resolve("_sirocco/stopped-run.json")).doesNotExist();
  }

  @Test
  void resultsThatTheDiskHasDamagedAreComputedAgain() throws IOException {
    give("a.jsonl", tickets.subList(0, 40));
    assertThat(run().exitCode()).isEqualTo(ExitCode.DONE);
    List<String> sound = rows(output());
    Path durable = durableFile();
    byte[] bytes = Files.readAllBytes(durable);
    // Behind the rows' identities, which come first, and before the footer.
    Arrays.fill(bytes, bytes.length / 3, bytes.length / 3 + 256, (byte) 0);
    Files.write(durable, bytes);
    Files.delete(durable.resolveSibling("." + durable.getFileName() + ".crc"));

    CommandLineRun found = run();
    assertThat(found.exitCode()).as(found.err()).isEqualTo(ExitCode.RESUMABLE);
    assertThat(found.err()).contains("damaged", String.valueOf(durable.getFileName()));
    assertThat(rows(output())).isEqualTo(sound);

    assertThat(run().exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(computed()).isEqualTo(40);
    assertThat(rows(output())).isEqualTo(sound);
  }

  private Path durableFile() throws IOException {
    try (Stream<Path> files = Files.walk(output().resolve("_sirocco/results"))) {
      return files
          .filter(file -> file.getFileName().toString().matches("part-.*[.]parquet"))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void aPlanThatACrashHasLostIsNotMissed() throws IOException {
    give("a.jsonl", tickets.subList(0, 5));
    assertThat(run().exitCode()).isEqualTo(ExitCode.DONE);
    Path plan = durableFile().resolveSibling("_plan.json");
    Files.write(plan, new byte[0]);
    assertThat(run().exitCode()).isEqualTo(ExitCode.DONE);
    Files.delete(plan);
    assertThat(run().exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(computed()).isZero();
  }

  @Test
  void anEmptyInputHasAnEmptyOutputThatGrows() throws IOException {
    give("a.jsonl", List.of());
    String schema = "input.schema='id string, text string, channel string'";
    CommandLineRun empty = run(schema);
    assertThat(empty.exitCode()).as(empty.err()).isEqualTo(ExitCode.DONE);
    assertThat(spark.read().parquet(output().toString()).count()).isZero();

    give("a.jsonl", tickets.subList(0, 3));
    assertThat(run(schema).exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(rows(output())).hasSize(3);
  }

  @Test
  void resultsOfOtherModesAreNotMixedIn() throws IOException {
    give("a.jsonl", tickets.subList(0, 5));
    assertThat(run("output.mode=error").exitCode()).isEqualTo(ExitCode.DONE);
    CommandLineRun refused = run();
    assertThat(refused.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(refused.err()).contains("output.path", "of another mode");

    Path resumable = folder.resolve("resumable");
    assertThat(run("output.path=" + resumable).exitCode()).isEqualTo(ExitCode.DONE);
    CommandLineRun appended = run("output.path=" + resumable, "output.mode=append");
    assertThat(appended.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(appended.err()).contains("output.mode", "would replace what is appended");
  }

  @Test
  void textsOfARowStayTogether() throws IOException {
    List<String> settings =
        List.of(
            "model.path=" + SAMPLES + "ticket-writer",
            "input.path=" + SAMPLES + "prompts.jsonl",
            "output.path=" + output(),
            "output.mode=resume",
            "generate.n=3",
            "generate.max-new-tokens=8");
    CommandLineRun run = CommandLineRun.job("../configs/generate-tickets.yaml", settings);

    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    assertThat(record().at("/counts/rows").asLong()).isEqualTo(60);
    List<Row> rows = spark.read().parquet(output().toString()).collectAsList();
    assertThat(rows).hasSize(180);
    Set<String> samples =
        rows.stream()
            .map(row -> row.<String>getAs("id") + row.<Integer>getAs("sample_index"))
            .collect(Collectors.toSet());
    assertThat(samples).hasSize(180);
    CommandLineRun again = CommandLineRun.job("../configs/generate-tickets.yaml", settings);
    assertThat(again.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(computed()).isZero();
  }
}
