package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.MiniHdfs;
import io.sirocco.spark.run.ExitCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs whose rows have LoRA adapters. */
class AdapterJobTest {
  private static final String SAMPLES = "../sample-data/";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> NAMES = List.of("red", "green", "blue");

  @TempDir private static Path adapters;
  @TempDir private static Path cache;
  private static SparkSession spark;

  @TempDir private Path folder;

  @BeforeAll
  static void start() throws Exception {
    for (String name : NAMES) {
      LoraFolder.write(adapters.resolve(name), name.hashCode());
    }
    spark =
        LocalSpark.builder("local[2]")
            .config("spark.sirocco.cache.dir", cache.toString())
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  /** 120 tickets; every fourth has no adapter, and some texts come with each of them. */
  private Path tickets() throws Exception {
    List<String> lines = new ArrayList<>();
    int row = 0;
    for (String line : Files.readAllLines(Path.of(SAMPLES, "tickets.jsonl")).subList(0, 120)) {
      String text = JSON.readTree(line).path("text").asText();
      if (row % 4 == 0 && row > 0) {
        text = JSON.readTree(lines.get(row - 1)).path("text").asText();
      }
      lines.add(ticket("t%03d".formatted(row), text, row % 4 == 3 ? null : NAMES.get(row % 4)));
      row++;
    }
    return Files.write(folder.resolve("tickets.jsonl"), lines);
  }

  private static String ticket(String id, String text, String adapter) throws Exception {
    ObjectNode ticket = JSON.createObjectNode().put("id", id).put("text", text);
    return JSON.writeValueAsString(ticket.put("team", adapter));
  }

  private List<String> settings(Path input, String output, List<String> more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model.path=" + SAMPLES + "ticket-classifier",
                "input.path=" + input,
                "input.schema=id string, text string, team string",
                "output.path=" + folder.resolve(output),
                "output.logits=true"));
    all.addAll(more);
    return all;
  }

  private CommandLineRun run(Path input, String output, String... more) {
    return CommandLineRun.job(
        "../configs/classify-tickets.yaml", settings(input, output, List.of(more)));
  }

  private CommandLineRun dryRun(Path input, List<String> more) {
    return CommandLineRun.job(
        "../configs/classify-tickets.yaml", settings(input, "none", more), "--dry-run");
  }

  private static String[] byColumn(String... more) {
    List<String> settings = new ArrayList<>();
    NAMES.forEach(name -> settings.add("model.adapters." + name + "=" + adapters.resolve(name)));
    settings.add("model.adapter-column=team");
    settings.addAll(List.of(more));
    return settings.toArray(new String[0]);
  }

  /** By id. */
  private Map<String, String> results(String output) {
    Map<String, String> results = new TreeMap<>();
    for (String row :
        spark.read().parquet(folder.resolve(output).toString()).toJSON().collectAsList()) {
      try {
        results.put(JSON.readTree(row).path("id").asText(), row);
      } catch (java.io.IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
    return results;
  }

  private JsonNode record(String output) throws Exception {
    return JSON.readTree(folder.resolve(output).resolve("_sirocco/run.json").toFile());
  }

  private static void assertDone(CommandLineRun run) {
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isEqualTo(ExitCode.DONE);
  }

  @Test
  void threeAdaptersInOneJobEqualThreeJobs() throws Exception {
    Path tickets = tickets();
    CommandLineRun mixed = run(tickets, "mixed", byColumn());
    assertDone(mixed);
    assertThat(mixed.out())
        .contains("adapter-column: team", "adapter blue: LoRA of rank 4, alpha 8, on q_proj, down");
    assertThat(record("mixed").at("/model/adapters").properties()).hasSize(3);
    Map<String, String> together = results("mixed");
    assertThat(together).hasSize(120);

    assertDone(run(tickets, "deduplicated", byColumn("batch.deduplicate=job")));
    assertThat(results("deduplicated")).isEqualTo(together);

    assertDone(run(tickets, "plain"));
    Map<String, String> plain = results("plain");
    Map<String, Map<String, String>> single = new TreeMap<>();
    single.put("", plain);
    for (String name : NAMES) {
      assertDone(run(tickets, name, "model.adapter=" + adapters.resolve(name)));
      single.put(name, results(name));
      assertThat(single.get(name)).isNotEqualTo(plain);
    }
    for (Map.Entry<String, String> row : together.entrySet()) {
      String team = JSON.readTree(row.getValue()).path("team").asText("");
      assertThat(row.getValue())
          .as("%s with '%s'", row.getKey(), team)
          .isEqualTo(single.get(team).get(row.getKey()));
    }
  }

  @Test
  void aResumedJobKnowsTheAdaptersOfItsRows() throws Exception {
    String[] resume = byColumn("output.mode=resume");
    Path tickets = tickets();
    assertDone(run(tickets, "out", resume));
    assertDone(run(tickets, "out", resume));
    assertThat(record("out").at("/this_run/rows").asLong()).isZero();

    List<String> lines = Files.readAllLines(tickets);
    lines.set(0, lines.get(0).replace("\"red\"", "\"blue\""));
    Files.write(tickets, lines);
    assertDone(run(tickets, "out", resume));
    assertThat(record("out").at("/this_run/rows").asLong()).isEqualTo(1);
    assertThat(results("out")).hasSize(120);

    Path other = folder.resolve("other");
    LoraFolder.write(other, 99);
    assertDone(run(tickets, "out", byColumn("output.mode=resume", "model.adapters.red=" + other)));
    assertThat(record("out").at("/this_run/rows").asLong()).isGreaterThan(100);
  }

  @Test
  void rowsWithUnknownAdaptersFailAlone() throws Exception {
    Path tickets =
        Files.write(
            folder.resolve("tickets.jsonl"),
            List.of(
                ticket("a", "Where is my parcel?", "red"),
                ticket("b", "Where is my parcel?", "mauve"),
                ticket("c", "Where is my parcel?", ""),
                ticket("d", "Where is my parcel?", null)));
    CommandLineRun looked = dryRun(tickets, List.of(byColumn()));
    assertDone(looked);
    assertThat(looked.out())
        .contains("rows of the sample: {red=1}; without one 2, with an unknown one 1");
    assertDone(run(tickets, "out", byColumn()));
    Map<String, String> rows = results("out");
    assertThat(rows.get("b")).contains("unknown-adapter", "there is no adapter 'mauve'");
    JsonNode empty = JSON.readTree(rows.get("c")).path("logits");
    assertThat(empty).isEqualTo(JSON.readTree(rows.get("d")).path("logits"));
    assertThat(empty).isNotEqualTo(JSON.readTree(rows.get("a")).path("logits"));
  }

  @Test
  void anAdapterOnHdfsAnswersAsTheSameOneOnThisMachine() throws Exception {
    Path tickets = tickets();
    try (MiniHdfs hdfs = MiniHdfs.start()) {
      String remote = hdfs.put(adapters.resolve("green"), "/adapters/green");
      CommandLineRun far = run(tickets, "far", "model.adapter=" + remote);
      assertDone(far);
      assertThat(far.out()).contains("adapter: " + remote, "note         adapter: LoRA of rank 4");
      CommandLineRun gone = run(tickets, "gone", "model.adapter=" + remote + "x");
      assertThat(gone.exitCode()).isEqualTo(ExitCode.MODEL);
      assertThat(gone.err()).contains("does not exist; expected the folder of a LoRA adapter");
    }
    assertDone(run(tickets, "near", "model.adapter=" + adapters.resolve("green")));
    assertThat(results("far")).isEqualTo(results("near"));
  }

  @Test
  void settingsThatDoNotFitAreRefused() throws Exception {
    Path tickets = tickets();
    String red = adapters.resolve("red").toString();
    assertRefused(
        run(tickets, "none", byColumn("model.adapter=" + red)), "model needs at most one of");
    assertRefused(run(tickets, "none", "model.adapters.red=" + red), "model.adapter-column");
    assertRefused(run(tickets, "none", "model.adapter-column=team"), "one of them is missing");
    assertRefused(
        run(tickets, "none", byColumn("model.adapter-column=nobody")), "model.adapter-column");
    assertRefused(
        run(tickets, "none", byColumn("model.adapters={\"a\\nb\": \"" + red + "\"}")),
        "model.adapters is 'a?b', expected names without control characters");
    CommandLineRun missing = run(tickets, "none", "model.adapter=" + red + "x");
    assertThat(missing.exitCode()).isEqualTo(ExitCode.MODEL);
    assertThat(missing.err()).contains("adapter_config.json");
  }

  private static void assertRefused(CommandLineRun run, String message) {
    assertThat(run.err()).contains(message);
    assertThat(run.exitCode()).isEqualTo(ExitCode.CONFIGURATION);
  }

  @Test
  void inspectTellsOfAnAdapter() {
    CommandLineRun run = CommandLineRun.of("inspect", adapters.resolve("red").toString());
    assertThat(run.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(run.out())
        .contains(
            "kind         adapter",
            "LoRA of rank 4, alpha 8, on q_proj, down_proj of 4 layers, with a classifier's head",
            "trained for SEQ_CLS");
  }
}
