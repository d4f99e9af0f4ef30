package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

/** Every kind of input that a job file can name. */
class MainInputTest extends SampleJob {
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
    assertThat(rendered.get(0).schema().fieldNames()).doesNotContain("__sirocco_text");

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
}
