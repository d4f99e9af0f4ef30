package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.MiniHdfs;
import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs that embed the sample tickets, by a real Spark, to Parquet. */
class EmbedMainTest {
  private static final String SAMPLES = "../sample-data/";
  private static final String CLASSIFIER = SAMPLES + "ticket-classifier";
  private static SparkSession spark;

  @TempDir private static Path cache;

  @TempDir private Path folder;

  @BeforeAll
  static void startSpark() {
    spark =
        LocalSpark.builder("local[2]")
            .config("spark.sirocco.cache.dir", cache.toString())
            .getOrCreate();
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  private CommandLineRun run(String output, String... settings) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model.path=" + CLASSIFIER,
                "input.path=" + SAMPLES + "tickets.jsonl",
                "output.path=" + folder.resolve(output)));
    all.addAll(List.of(settings));
    return CommandLineRun.job("../configs/embed-tickets.yaml", all);
  }

  private void done(CommandLineRun run) {
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isEqualTo(ExitCode.DONE);
  }

  private List<Row> results(String output) {
    return spark.read().parquet(folder.resolve(output).toString()).orderBy("id").collectAsList();
  }

  private JsonNode record(String output) throws IOException {
    return new ObjectMapper()
        .readTree(folder.resolve(output).resolve("_sirocco/run.json").toFile());
  }

  private static double[] embedding(Row row) {
    List<Float> values = row.getList(row.fieldIndex("embedding"));
    return values.stream().mapToDouble(Float::doubleValue).toArray();
  }

  private static double product(double[] one, double[] other) {
    double sum = 0;
    for (int i = 0; i < one.length; i++) {
      sum += one[i] * other[i];
    }
    return sum;
  }

  @Test
  void ticketsLieNearTicketsAboutTheSameThing() throws IOException {
    CommandLineRun run = run("out", "model.precision=float32");
    done(run);
    assertThat(run.out())
        .contains("MistralModel, ", "embeddings of 128", "pooling: last (the job)")
        .contains("not used: [score.weight]", "1,200 rows: 1,200 ok, 0 failed", "embedding");
    List<Row> rows = results("out");
    assertThat(rows).hasSize(1200);
    // Parquet as Spark reads it knows no columns without nulls.
    assertThat(rows.get(0).schema().apply("embedding").dataType())
        .isEqualTo(DataTypes.createArrayType(DataTypes.FloatType, true));
    List<double[]> embeddings = rows.stream().map(EmbedMainTest::embedding).toList();
    int same = 0;
    for (int row = 0; row < rows.size(); row++) {
      assertThat(embeddings.get(row)).hasSize(128);
      assertThat(Math.sqrt(product(embeddings.get(row), embeddings.get(row))))
          .isCloseTo(1, within(1e-6));
      assertThat(rows.get(row).<String>getAs("status")).isEqualTo("ok");
      int nearest = -1;
      double best = Double.NEGATIVE_INFINITY;
      for (int other = 0; other < rows.size(); other++) {
        double similarity = product(embeddings.get(row), embeddings.get(other));
        if (other != row && similarity > best) {
          best = similarity;
          nearest = other;
        }
      }
      String label = rows.get(row).getAs("label");
      same += label.equals(rows.get(nearest).getAs("label")) ? 1 : 0;
    }
    System.out.println(same + " of 1200 tickets have their nearest neighbour's label");
    assertThat(same).isGreaterThan(1100);
    assertThat(record("out").at("/settings/pooling/value").asText()).isEqualTo("last");
    assertThat(record("out").at("/settings/dimensions/origin").asText()).isEqualTo("default");
    assertThat(record("out").at("/configuration/embed/append-eos").asText()).isEqualTo("auto");
    assertThat(record("out").at("/counts/ok").asLong()).isEqualTo(1200);
    CommandLineRun report = CommandLineRun.of("report", folder.resolve("out").toString());
    assertThat(report.exitCode()).as(report.err()).isEqualTo(ExitCode.DONE);
  }

  @Test
  void dirtyRowsComeOutWithTheirCodes() {
    String dirty = "input.path=" + SAMPLES + "tickets-dirty.jsonl";
    done(run("dirty", dirty, "embed.instruction=Find it", "output.prefix=v_"));
    List<Row> failed =
        spark
            .read()
            .parquet(folder.resolve("dirty").toString())
            .filter("v_status = 'failed'")
            .select(functions.col("v_error.code"), functions.col("v_embedding"))
            .orderBy("code")
            .collectAsList();
    assertThat(failed.stream().map(row -> row.getString(0)))
        .containsExactly("empty-text", "empty-text", "null-text", "too-long");
    assertThat(failed).allMatch(row -> row.isNullAt(1));
  }

  @Test
  void howRowsAreComputedChangesNoBit() {
    String[] query = {
      "embed.instruction=Given a message of a customer, find messages that ask for the same thing"
          + " and that the same team has to answer, whatever else they complain about",
      "embed.dimensions=32",
      "input.path=" + tickets(),
    };
    done(run("plain", with(query, "batch.shared-prefix=none", "batch.deduplicate=none")));
    CommandLineRun shared = run("shared", with(query, "batch.deduplicate=job"));
    done(shared);
    CommandLineRun mean = run("mean", with(query, "embed.pooling=mean"));
    done(mean);
    assertThat(shared.out()).contains("computed once", "saved");
    assertThat(mean.out()).doesNotContain("in common");
    assertThat(json("shared")).hasSize(120).isEqualTo(json("plain"));
    assertThat(json("mean")).hasSize(120).isNotEqualTo(json("plain"));
    for (Row row : results("shared")) {
      assertThat(embedding(row)).hasSize(32);
      assertThat(product(embedding(row), embedding(row))).isCloseTo(1, within(1e-6));
    }
  }

  /** 100 tickets and 20 of them again. */
  private Path tickets() {
    try {
      List<String> lines = Files.readAllLines(Path.of(SAMPLES, "tickets.jsonl"));
      List<String> some = new ArrayList<>(lines.subList(0, 100));
      lines.subList(0, 20).forEach(line -> some.add(line.replace("\"t-", "\"x-")));
      return Files.write(folder.resolve("tickets.jsonl"), some);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static String[] with(String[] settings, String... more) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private List<String> json(String output) {
    return spark
        .read()
        .parquet(folder.resolve(output).toString())
        .orderBy("id")
        .toJSON()
        .collectAsList();
  }

  @Test
  void aChangedSettingComputesEverythingAgainAndAnEqualOneNothing() throws IOException {
    String input = "input.path=" + tickets();
    done(run("resumed", input, "output.mode=resume", "embed.pooling=auto"));
    assertThat(record("resumed").at("/this_run/rows").asInt()).isPositive();
    done(run("resumed", input, "output.mode=resume", "embed.pooling=last"));
    assertThat(record("resumed").at("/this_run/rows").asInt()).isZero();
    for (String change :
        List.of(
            "embed.pooling=mean",
            "embed.normalize=false",
            "embed.dimensions=16",
            "embed.instruction=Find it",
            "embed.append-eos=true")) {
      done(run("resumed", input, "output.mode=resume", change));
      assertThat(record("resumed").at("/this_run/rows").asInt()).as(change).isPositive();
    }
  }

  /** As sentence-transformers writes it: mean pooling, a default prompt, vectors as they are. */
  private Path sentenceModel() throws IOException {
    Path model = Files.createDirectories(folder.resolve("sentences"));
    for (String file :
        List.of("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")) {
      Files.copy(Path.of(CLASSIFIER, file), model.resolve(file));
    }
    Files.writeString(
        model.resolve("modules.json"),
        "[{\"path\": \"\", \"type\": \"sentence_transformers.models.Transformer\"}, {\"path\":"
            + " \"1_Pooling\", \"type\": \"sentence_transformers.models.Pooling\"}]");
    Files.createDirectory(model.resolve("1_Pooling"));
    Files.writeString(
        model.resolve("1_Pooling/config.json"), "{\"pooling_mode_mean_tokens\": true}");
    Files.writeString(
        model.resolve("config_sentence_transformers.json"),
        "{\"prompts\": {\"doc\": \"passage: \"}, \"default_prompt_name\": \"doc\"}");
    return model;
  }

  @Test
  void whatTheFolderSaysIsHeededWhereverItIs() throws IOException {
    Path model = sentenceModel();
    String input = "input.path=" + tickets();
    String[] auto = {input, "embed.pooling=auto", "embed.normalize=auto"};
    done(run("near", with(auto, "model.path=" + model)));
    try (MiniHdfs hdfs = MiniHdfs.start()) {
      String remote = hdfs.put(model, "/models/sentences");
      CommandLineRun far = run("far", with(auto, "model.path=" + remote));
      done(far);
      assertThat(far.out())
          .contains("pooling: mean (the model's folder)", "normalize: false (the model's folder)")
          .contains("prompt: 'passage: ' (the model's folder)");
    }
    assertThat(json("far")).hasSize(120).isEqualTo(json("near"));
    assertThat(record("far").at("/model/fingerprint"))
        .isEqualTo(record("near").at("/model/fingerprint"));
    done(
        run(
            "said",
            input,
            "embed.pooling=mean",
            "embed.normalize=false",
            "input.text-column=null",
            "input.template='passage: {text}'"));
    assertThat(json("said")).isEqualTo(json("near"));
  }

  @Test
  void whatAJobCannotHaveIsToldBeforeItRuns() throws IOException {
    CommandLineRun wide = run("none", "embed.dimensions=129");
    assertThat(wide.exitCode()).isEqualTo(ExitCode.MODEL);
    assertThat(wide.err()).contains("embed.dimensions: is 129, but the model's hidden_size is 128");
    CommandLineRun unnamed = run("none", "embed.prompt-name=query");
    assertThat(unnamed.exitCode()).isEqualTo(ExitCode.MODEL);
    assertThat(unnamed.err()).contains("has no prompt query; it has none");
    Path model = sentenceModel();
    Files.writeString(model.resolve("1_Pooling/config.json"), "{\"pooling_mode_cls_token\": true}");
    CommandLineRun unknown = run("none", "model.path=" + model, "embed.pooling=auto");
    assertThat(unknown.exitCode()).isEqualTo(ExitCode.MODEL);
    assertThat(unknown.err()).contains("1_Pooling/config.json: pools by cls_token");
    assertThat(folder.resolve("none")).doesNotExist();
  }

  @Test
  void aModelWithoutAHeadIsInspectedAsOneThatEmbeds() throws IOException {
    Path golden = Path.of("../model-core/src/test/resources/golden/base-embed");
    Path model = Files.createDirectories(folder.resolve("bare"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(golden.resolve(file), model.resolve(file));
    }
    Files.copy(Path.of(CLASSIFIER, "tokenizer.json"), model.resolve("tokenizer.json"));
    CommandLineRun run = CommandLineRun.of("inspect", model.toString());
    assertThat(run.exitCode()).as(run.out()).isEqualTo(ExitCode.DONE);
    assertThat(run.out()).contains("model        MistralModel, ", "tasks        embed\n");
    assertThat(CommandLineRun.of("inspect", SAMPLES + "ticket-writer").out())
        .contains("MistralForCausalLM", "tasks        generate, score, embed\n");
    assertThat(CommandLineRun.of("inspect", CLASSIFIER).out())
        .contains("tasks        classify, embed\n");
  }
}
