package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.run.ExitCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What rows have in common is computed once, and nobody can tell from the results. */
class NothingTwiceTest {
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

  /** 200 tickets, 60 of them with the text of others. */
  private Path tickets() throws Exception {
    ObjectMapper json = new ObjectMapper();
    List<String> lines = new ArrayList<>();
    Set<String> texts = new HashSet<>();
    for (String line : Files.readAllLines(Path.of(SAMPLES, "tickets.jsonl"))) {
      if (lines.size() < 140 && texts.add(json.readTree(line).path("text").asText())) {
        lines.add(line);
      }
    }
    List<String> all = new ArrayList<>(lines);
    for (int row = 0; row < 60; row++) {
      String text = json.readTree(lines.get(row * 37 % 140)).path("text").asText();
      all.add(
          json.writeValueAsString(json.createObjectNode().put("id", "x" + row).put("text", text)));
    }
    return Files.write(folder.resolve("tickets.jsonl"), all);
  }

  private CommandLineRun run(String output, String... settings) throws Exception {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model.path=" + SAMPLES + "ticket-classifier",
                "input.path=" + tickets(),
                "output.path=" + folder.resolve(output),
                "output.logits=true"));
    all.addAll(List.of(settings));
    CommandLineRun run = CommandLineRun.job("../configs/classify-tickets.yaml", all);
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isEqualTo(ExitCode.DONE);
    return run;
  }

  private List<String> results(String output) {
    return spark
        .read()
        .parquet(folder.resolve(output).toString())
        .orderBy("id")
        .toJSON()
        .collectAsList();
  }

  private JsonNode thisRun(String output) throws Exception {
    return new ObjectMapper()
        .readTree(folder.resolve(output).resolve("_sirocco/run.json").toFile())
        .path("this_run");
  }

  @Test
  void duplicatesAreComputedOnce() throws Exception {
    // An engine of its own: one that another test has left open may know answers.
    CommandLineRun once = run("once", "batch.max-tokens=1901");
    CommandLineRun each = run("each", "batch.deduplicate=none");

    assertThat(results("once")).hasSize(200).isEqualTo(results("each"));
    JsonNode saved = thisRun("once");
    JsonNode all = thisRun("each");
    assertThat(saved.path("duplicate_rows").asInt()).isEqualTo(60);
    assertThat(saved.path("tokens").asLong()).isEqualTo(all.path("tokens").asLong());
    assertThat(saved.path("computed_tokens").asLong() + saved.path("duplicate_tokens").asLong())
        .isEqualTo(all.path("computed_tokens").asLong())
        .isEqualTo(all.path("tokens").asLong());
    assertThat(all.path("duplicate_rows").asInt()).isZero();
    assertThat(once.out()).contains("200 rows: 200 ok", "of 60 rows that equal others");
    assertThat(each.out()).doesNotContain("that equal others");
  }

  @Test
  void whatTheTemplateBeginsWithIsComputedOnce() throws Exception {
    String template =
        "input.template='Which team has to answer this customer? Billing is about invoices, refunds"
            + " and cards. Shipping is about parcels, addresses and delays. Account access is about"
            + " passwords and logins, and a bug is something that does not work as it should."
            + " The message of the customer is: {text}'";
    CommandLineRun shared = run("shared", "input.text-column=null", template);
    CommandLineRun each =
        run(
            "whole",
            "input.text-column=null",
            template,
            "batch.shared-prefix=none",
            "batch.deduplicate=none");

    assertThat(results("shared")).hasSize(200).isEqualTo(results("whole"));
    JsonNode saved = thisRun("shared");
    assertThat(saved.path("prefix_tokens").asLong()).isGreaterThan(140 * 40);
    assertThat(
            saved.path("computed_tokens").asLong()
                + saved.path("prefix_tokens").asLong()
                + saved.path("duplicate_tokens").asLong())
        .isEqualTo(saved.path("tokens").asLong())
        .isEqualTo(thisRun("whole").path("computed_tokens").asLong());
    assertThat(shared.out()).contains("tokens in common, which are computed once");
    assertThat(each.out()).doesNotContain("in common");
  }

  @Test
  void acrossTheJobEqualRowsAreComputedOnceThoughNoExecutorSeesThemTogether() throws Exception {
    run("each", "batch.deduplicate=none", "output.prefix=m_");
    CommandLineRun once =
        run(
            "once",
            "batch.deduplicate=job",
            "batch.max-tokens=1902",
            "output.prefix=m_",
            "input.rows-per-task=20",
            "input.key-columns=[id]");

    assertThat(results("once")).hasSize(200).isEqualTo(results("each"));
    assertThat(spark.read().parquet(folder.resolve("once").toString()).schema().json())
        .isEqualTo(spark.read().parquet(folder.resolve("each").toString()).schema().json());
    assertThat(thisRun("once").path("rows").asInt()).isEqualTo(140);
    assertThat(thisRun("once").path("duplicate_rows").asInt()).isEqualTo(60);
    assertThat(
            thisRun("once").path("computed_tokens").asLong()
                + thisRun("once").path("duplicate_tokens").asLong())
        .isEqualTo(thisRun("each").path("computed_tokens").asLong());
    assertThat(once.out())
        .contains(
            "200 rows: 200 ok", "this run asked the model for 140", "of 60 rows that equal others");
  }
}
