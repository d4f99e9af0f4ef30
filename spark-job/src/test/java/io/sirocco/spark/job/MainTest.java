package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.spark.LocalSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line over the sample data and a real Spark. */
class MainTest {
  private static final String SAMPLES = "../sample-data/";
  private static SparkSession spark;

  @TempDir Path folder;

  @BeforeAll
  static void startSpark() {
    spark = LocalSpark.builder("local[2]").getOrCreate();
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  private String output() {
    return folder.resolve("out").toString();
  }

  /** The sample job, on the paths of this module, with an output of its own. */
  private CommandLineRun run(String... settings) {
    return run(List.of(settings));
  }

  private CommandLineRun run(List<String> settings, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model.path=" + SAMPLES + "ticket-classifier",
                "input.path=" + SAMPLES + "tickets.jsonl",
                "output.path=" + output()));
    all.addAll(settings);
    return CommandLineRun.job("../configs/classify-tickets.yaml", all, more);
  }

  private List<Row> results() {
    return spark.read().parquet(output()).collectAsList();
  }

  private JsonNode record() throws IOException {
    return new ObjectMapper().readTree(folder.resolve("out/_sirocco/run.json").toFile());
  }

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
  void everyFormatIsRead() {
    List<String> formats = List.of("parquet", "orc", "csv", "text");
    for (String format : formats) {
      String input = folder.resolve(format).toString();
      String only = format.equals("text") ? "text" : "id, text, label";
      spark
          .read()
          .json(SAMPLES + "tickets.jsonl")
          .filter("instr(text, char(10)) = 0")
          .limit(20)
          .selectExpr(only.split(", ", -1))
          .write()
          .option("header", "true")
          .format(format)
          .save(input);
      String column = format.equals("text") ? "value" : "text";

      CommandLineRun run =
          run(
              "input.path=" + input,
              "input.format=" + format,
              "input.options={header: true}",
              "input.text-column=" + column,
              "input.key-columns=null",
              "output.mode=overwrite");

      assertThat(run.err()).as(format).isEmpty();
      assertThat(results()).as(format).hasSize(20);
      assertThat(run.out()).as(format).contains("20 rows: 20 ok, 0 failed");
    }
  }

  @Test
  void textOfSeveralLinesSurvivesCsv() {
    String input = folder.resolve("csv").toString();
    String options = "{header: true, multiLine: true, escape: '\"'}";
    spark
        .createDataset(List.of("one\n\"two\", three"), Encoders.STRING())
        .toDF("text")
        .write()
        .options(Map.of("header", "true", "escape", "\""))
        .csv(input);

    List<String> settings =
        List.of(
            "input.path=" + input,
            "input.format=csv",
            "input.options=" + options,
            "input.key-columns=null");
    assertThat(run(settings, "--dry-run").out()).contains("sample       1 rows");
    assertThat(run(settings).exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(results()).hasSize(1);
    assertThat(results().get(0).<String>getAs("text")).isEqualTo("one\n\"two\", three");
  }

  @Test
  void templatesTablesAndTokensAreInputsToo() {
    spark.read().json(SAMPLES + "tickets.jsonl").limit(10).createOrReplaceTempView("ten_tickets");
    List<String> table = List.of("input.path=null", "input.table=ten_tickets");

    List<String> template = new ArrayList<>(table);
    template.addAll(List.of("input.text-column=null", "input.template='{channel} {id}: {text}'"));
    assertThat(run(template).exitCode()).isEqualTo(ExitCode.DONE);
    List<Row> rendered = results();
    assertThat(rendered).hasSize(10);
    assertThat(rendered.get(0).schema().fieldNames()).doesNotContain(EngineColumns.TEXT);

    spark
        .sql("select id, array(1, 5, 9, 700) as ids, array(1, 1, 1, 0) as mask from ten_tickets")
        .createOrReplaceTempView("ten_tokens");
    CommandLineRun tokens =
        run(
            "input.path=null",
            "input.table=ten_tokens",
            "input.text-column=null",
            "input.tokens-column=ids",
            "input.attention-mask-column=mask",
            "output.mode=overwrite");
    assertThat(tokens.err()).isEmpty();
    assertThat(results())
        .hasSize(10)
        .allSatisfy(row -> assertThat(row.<String>getAs("status")).isEqualTo("ok"));
  }

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

  @Test
  void malformedLinesThatTheJobDropsAreNotMissed() throws IOException {
    Path input = folder.resolve("some.csv");
    Files.writeString(input, "id,text\n1,one\nx,two\n3,three\ny,four\n");
    List<String> csv =
        List.of("input.path=" + input, "input.format=csv", "input.schema='id int, text string'");

    List<String> dropping = new ArrayList<>(csv);
    dropping.add("input.options={mode: DROPMALFORMED, header: true}");
    CommandLineRun dropped = run(dropping);
    assertThat(dropped.err()).isEmpty();
    assertThat(results()).hasSize(2);

    List<String> failing = new ArrayList<>(csv);
    failing.addAll(
        List.of("input.options={mode: FAILFAST, header: true}", "output.mode=overwrite"));
    CommandLineRun failed = run(failing);
    assertThat(failed.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(failed.err()).contains("input.path");
    assertThat(results()).hasSize(2);
  }

  @Test
  void aDryRunReadsWhatTheJobReads() throws IOException {
    Path day = Files.createDirectories(folder.resolve("by-day/day=2024-01-01"));
    Files.writeString(day.resolve("p.jsonl"), "{\"te`xt\": \"hello\", \"my`ids\": [1, 5]}\n");
    List<String> settings =
        List.of(
            "input.path=" + day.getParent(),
            "input.key-columns=[day]",
            "input.text-column=null",
            "input.tokens-column=my`ids");
    CommandLineRun dry = run(settings, "--dry-run");
    assertThat(dry.err()).isEmpty();
    assertThat(dry.out()).contains("sample       1 rows");
    assertThat(run(settings).exitCode()).isEqualTo(ExitCode.DONE);
    CommandLineRun exists = run(settings, "--dry-run");
    assertThat(exists.err()).contains("output.path is");

    Path csv = folder.resolve("lines.csv");
    Files.writeString(csv, "text\n\"one\ntwo\"\n");
    CommandLineRun lines =
        run(
            List.of(
                "input.path=" + csv,
                "input.format=csv",
                "input.options={header: true, multiline: true}",
                "input.key-columns=null",
                "output.mode=overwrite"),
            "--dry-run");
    assertThat(lines.out()).contains("sample       1 rows");
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
        .doesNotContain(EngineColumns.TEXT)
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
