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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sample jobs that generate and score, through the command line and a real Spark. */
class GenerateMainTest {
  private static final String SAMPLES = "../sample-data/";
  private static final ObjectMapper JSON = new ObjectMapper();
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

  private CommandLineRun chats(List<String> settings, String... more) {
    return run("answer-chats", "chats.jsonl", settings, more);
  }

  /** A sample job, on the paths of this module, with an output of its own. */
  private CommandLineRun run(String job, String input, List<String> settings, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model.path=" + SAMPLES + "ticket-writer",
                "input.path=" + SAMPLES + input,
                "output.path=" + folder.resolve("out"),
                "output.mode=overwrite"));
    all.addAll(settings);
    return CommandLineRun.job("../configs/" + job + ".yaml", all, more);
  }

  private List<Row> results() {
    return spark.read().parquet(folder.resolve("out").toString()).collectAsList();
  }

  private JsonNode record() throws IOException {
    return JSON.readTree(folder.resolve("out/_sirocco/run.json").toFile());
  }

  @Test
  void theSampleChatsAreAnsweredAsTheReferenceAnswersThem() throws IOException {
    CommandLineRun run =
        chats(List.of("model.precision=float32", "generate.token-ids=true", "input.schema=null"));

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isEqualTo(ExitCode.DONE);
    Map<String, Row> rows =
        results().stream().collect(Collectors.toMap(row -> row.getAs("id"), row -> row));
    List<String> expected = Files.readAllLines(Path.of(SAMPLES, "expected-generate.jsonl"));
    assertThat(rows).hasSize(20).hasSameSizeAs(expected);
    long generated = 0;
    for (String line : expected) {
      JsonNode reference = JSON.readTree(line);
      Row row = rows.get(reference.path("id").asText());
      List<Integer> ids = row.getList(row.fieldIndex("generated_token_ids"));
      assertThat(JSON.<JsonNode>valueToTree(List.copyOf(ids)))
          .isEqualTo(reference.get("output_ids"));
      assertThat(row.<String>getAs("generated_text")).isEqualTo(reference.path("text").asText());
      assertThat(row.<Integer>getAs("prompt_tokens")).isEqualTo(reference.path("input_ids").size());
      assertThat(row.<Integer>getAs("generated_tokens")).isEqualTo(ids.size());
      assertThat(row.<String>getAs("finish_reason"))
          .isEqualTo(ids.get(ids.size() - 1) == 2 ? "stop" : "length");
      assertThat(row.getList(row.fieldIndex("messages"))).isNotEmpty();
      generated += ids.size();
    }
    assertThat(run.out())
        .contains("max_new_tokens: 48 (the job)", "keys and values at most")
        .contains("20 rows: 20 ok, 0 failed", " generated tokens/s", "finish   stop")
        .contains("setting  max_new_tokens", "eos_token_id", "(the model's generation_config.json)")
        .contains("generated_text", "c-01", "Hi support, I would suggest that the order");
    assertThat(record().at("/counts/generated_tokens").asLong()).isEqualTo(generated);
    assertThat(record().at("/settings/max_new_tokens/origin").asText()).isEqualTo("the job");
    assertThat(record().at("/configuration/generate/max-new-tokens").asInt()).isEqualTo(48);
  }

  @Test
  void conversationsMayBeJsonTextAndBrokenOnesFailAlone() throws IOException {
    Path input = folder.resolve("in.jsonl");
    Files.writeString(
        input,
        """
        {"id": 1, "messages": [{"role": "user", "content": "Write a support ticket about bug."}]}
        {"id": 2, "messages": [{"role": "user", "content": "Hi"}, null]}
        {"id": 3, "messages": [{"content": "no role"}]}
        {"id": 4, "messages": [{"role": "user"}]}
        {"id": 5, "messages": null}
        {"id": 6, "messages": []}
        {"id": 7, "messages": [{"role": "user", "content": "Say </s> twice", "name": "x"}]}
        """);
    List<String> settings = List.of("input.path=" + input, "generate.max-new-tokens=4");

    CommandLineRun run = chats(settings);
    assertThat(run.err()).isEmpty();
    Map<Long, String> codes = codes();
    assertThat(codes)
        .isEqualTo(
            Map.of(
                1L, "ok",
                2L, "bad-messages",
                3L, "bad-messages",
                4L, "bad-messages",
                5L, "null-messages",
                6L, "bad-messages",
                7L, "ok"));
    Map<Long, String> texts = texts();

    Path text = folder.resolve("text");
    spark
        .read()
        .json(input.toString())
        .selectExpr("id", "to_json(messages) as messages")
        .write()
        .json(text.toString());
    List<String> asText = List.of("input.path=" + text, "generate.max-new-tokens=4");
    assertThat(chats(asText).err()).isEmpty();
    assertThat(codes()).isEqualTo(codes);
    assertThat(texts()).isEqualTo(texts);
    assertThat(chats(asText, "--dry-run").out())
        .contains("sample       7 rows, 5 of them without text", "row length   median");
  }

  private Map<Long, String> codes() {
    Map<Long, String> codes = new TreeMap<>();
    for (Row row : results()) {
      Row error = row.getAs("error");
      codes.put(row.getAs("id"), error == null ? "ok" : error.getAs("code"));
    }
    return codes;
  }

  private Map<Long, String> texts() {
    Map<Long, String> texts = new HashMap<>();
    results().forEach(row -> texts.put(row.getAs("id"), row.getAs("generated_text")));
    return texts;
  }

  @Test
  void ticketsAreWrittenTheSameWayEveryTime() throws IOException {
    List<String> several =
        List.of("generate.n=3", "output.prefix=w_", "generate.max-new-tokens=24");

    CommandLineRun run = run("generate-tickets", "prompts.jsonl", several);
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).contains("60 rows: 60 ok, 0 failed", "temperature", "0.7 (the job)");
    List<Row> first = results();
    assertThat(first).hasSize(180);
    assertThat(first.get(0).schema().fieldNames())
        .startsWith("category", "id", "tone", "w_generated_text")
        .endsWith("w_sample_index")
        .noneMatch(name -> name.startsWith("__sirocco"));
    assertThat(record().at("/counts/rows").asLong()).isEqualTo(60);
    Map<String, String> texts = ticketTexts(first);
    assertThat(Map.copyOf(texts).values().stream().distinct().count()).isGreaterThan(150);

    List<String> again = new ArrayList<>(several);
    again.add("batch.max-sequences=5");
    assertThat(run("generate-tickets", "prompts.jsonl", again).exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(ticketTexts(results())).isEqualTo(texts);
    again.add("generate.seed=1");
    assertThat(run("generate-tickets", "prompts.jsonl", again).exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(ticketTexts(results())).isNotEqualTo(texts);
  }

  private static Map<String, String> ticketTexts(List<Row> rows) {
    return rows.stream()
        .collect(
            Collectors.toMap(
                row -> row.getAs("id") + " " + row.getAs("w_sample_index"),
                row -> row.getAs("w_generated_text")));
  }

  @Test
  void theWriterClassifiesTheSampleTickets() throws IOException {
    CommandLineRun run = run("score-tickets", "tickets.jsonl", List.of("score.logprobs=true"));

    assertThat(run.err()).isEmpty();
    List<Row> rows = results();
    assertThat(rows).hasSize(1200).allMatch(row -> row.<String>getAs("status").equals("ok"));
    long right =
        rows.stream()
            .filter(row -> row.<String>getAs("predicted_label").equals(row.getAs("label")))
            .count();
    System.out.println("GenerateMainTest: " + right + " of 1200 tickets scored as labelled");
    assertThat(right).isGreaterThan(1140);
    assertThat(rows.get(0).getJavaMap(rows.get(0).fieldIndex("probabilities"))).hasSize(6);
    assertThat(rows.get(0).getJavaMap(rows.get(0).fieldIndex("label_logprobs"))).hasSize(6);
    assertThat(run.out())
        .contains("labels       single_label [billing, bug", "1,200 rows: 1,200 ok, 0 failed")
        .contains("label    billing", "predicted_label");
    assertThat(run("score-tickets", "tickets.jsonl", List.of(), "--dry-run").out())
        .contains("sample       1,000 rows, 0 of them", "row length   median");
  }

  @Test
  void mistakesEndWithCodeTwoAndSayWhatToDo() throws IOException {
    assertMistake("generate.n=3", "generate.n is 3 (from the job)", "do_sample");
    assertMistake("generate.suppress-tokens=5", "generate.suppress-tokens is 5");
    assertMistake("input.messages-column=text", "input.messages-column is 'text'", "id");
    assertMistake("input.messages-column=words", "array<struct<role,content>>", "array<string>");
    assertMistake("input.key-columns=[nr]", "input.key-columns is 'nr'");
  }

  private void assertMistake(String setting, String... words) throws IOException {
    Path input = folder.resolve("words.jsonl");
    Files.writeString(
        input,
        "{\"id\": 1, \"messages\": [{\"role\": \"\", \"content\": \"\"}], \"words\": [\"a\"]}");
    CommandLineRun run = chats(List.of("input.path=" + input, setting));
    assertThat(run.exitCode()).as(setting).isEqualTo(ExitCode.CONFIGURATION);
    assertThat(run.err()).startsWith("configuration: ").contains(words);
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void everyTypeOfKeyColumnIsAKey() {
    String table =
        "select id, text, n, cast(n as timestamp) at, date'2020-01-01' day, X'00FF' bytes,"
            + " array(1, null) list, struct(1 as a) s, 1.5 d, cast(null as string) missing from"
            + " (select 'a' id, 'Write a support ticket about bug.' text, explode(array(1, 2)) n)";
    spark.sql(table).createOrReplaceTempView("keyed");
    List<String> settings =
        List.of(
            "input.path=null",
            "input.table=keyed",
            "input.messages-column=null",
            "input.text-column=text",
            "input.chat=true",
            "generate.do-sample=true",
            "generate.max-new-tokens=24");
    List<String> alike = new ArrayList<>(settings);
    alike.add("input.key-columns=[id, day, bytes, list, s, d, missing]");
    assertThat(chats(alike).err()).isEmpty();
    assertThat(results().stream().map(row -> row.<String>getAs("generated_text")).distinct())
        .hasSize(1);
    for (String different : List.of("n", "at")) {
      List<String> apart = new ArrayList<>(settings);
      apart.add("input.key-columns=[id, " + different + "]");
      assertThat(chats(apart).err()).isEmpty();
      assertThat(results().stream().map(row -> row.<String>getAs("generated_text")).distinct())
          .as(different)
          .hasSize(2);
    }
  }
}
