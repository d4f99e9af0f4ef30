package io.sirocco.spark.exec;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sample tickets through a real Spark. */
class ClassifyDataFrameTest {
  private static final RowColumns TEXT = RowColumns.of(new ModelInput.Text("text"));
  private static SparkSession spark;

  @BeforeAll
  static void startSpark() {
    spark = TicketModel.spark("local[2]");
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  @AfterEach
  void nothingLeaks() {
    ExecutorEngine.closeIdle();
  }

  private static Dataset<Row> read(String file) {
    return spark
        .read()
        .schema("id string, text string, label string")
        .json(TicketModel.SAMPLES + file);
  }

  private static Dataset<Row> classify(Dataset<Row> rows, RowColumns input) {
    return classify(rows, input, TicketModel.float32());
  }

  private static Dataset<Row> classify(Dataset<Row> rows, RowColumns input, RowSettings settings) {
    return DataFrameTask.results(rows, input, settings, RowCounters.none());
  }

  @Test
  void labelsAndLogitsAreThoseOfTheReference() {
    Map<String, Row> expected =
        spark.read().json(TicketModel.SAMPLES + "expected-classify.jsonl").collectAsList().stream()
            .collect(Collectors.toMap(row -> row.getAs("id"), row -> row));

    List<Row> rows = classify(read("tickets.jsonl").limit(200), TEXT).collectAsList();

    assertThat(rows).hasSize(200);
    for (Row row : rows) {
      Row reference = expected.get(row.<String>getAs("id"));
      assertThat(row.<String>getAs("predicted_label")).isEqualTo(reference.getAs("label"));
      assertThat((long) row.<Integer>getAs("token_count")).isEqualTo(reference.getAs("tokens"));
      List<Float> logits = row.getList(row.fieldIndex("logits"));
      List<Double> wanted = reference.getList(reference.fieldIndex("logits"));
      List<Double> scores = reference.getList(reference.fieldIndex("scores"));
      for (int label = 0; label < wanted.size(); label++) {
        assertThat((double) logits.get(label)).isCloseTo(wanted.get(label), within(1e-3));
      }
      double best = scores.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
      assertThat(row.<Double>getAs("predicted_score")).isCloseTo(best, within(1e-3));
      Map<String, Double> probabilities = row.getJavaMap(row.fieldIndex("probabilities"));
      assertThat(probabilities).hasSize(6);
      assertThat(probabilities.get(row.<String>getAs("predicted_label")))
          .isEqualTo(row.<Double>getAs("predicted_score"));
    }
  }

  @Test
  void dirtyRowsComeOutOnceEachWithTheReason() {
    RunTotals totals = new RunTotals();
    spark.sparkContext().register(totals, "totals");

    List<Row> rows =
        DataFrameTask.results(
                read("tickets-dirty.jsonl").repartition(3),
                TEXT,
                TicketModel.float32(),
                RowCounters.into(totals))
            .collectAsList();

    Map<String, String> codes = new TreeMap<>();
    for (Row row : rows) {
      Row error = row.getAs("error");
      assertThat(row.<String>getAs("status")).isEqualTo(error == null ? "ok" : "failed");
      if (error != null) {
        codes.put(row.getAs("id"), error.getAs("code"));
        assertThat(error.<String>getAs("message")).isNotBlank();
        assertThat(row.<Object>getAs("predicted_label")).isNull();
      }
    }
    assertThat(rows).hasSize(40);
    assertThat(codes)
        .isEqualTo(
            Map.of(
                "d-0004", "null-text",
                "d-0009", "empty-text",
                "d-0014", "empty-text",
                "d-0019", "too-long"));
    assertThat(totals.value().rows()).isEqualTo(40);
    assertThat(totals.value().rowsOk()).isEqualTo(36);
    assertThat(totals.value().failed())
        .isEqualTo(Map.of("null-text", 1L, "empty-text", 2L, "too-long", 1L));
    assertThat(totals.value().labels().values().stream().mapToLong(n -> n).sum()).isEqualTo(36);
    long tokens =
        rows.stream()
            .filter(row -> row.getAs("error") == null)
            .mapToLong(row -> row.<Integer>getAs("token_count"))
            .sum();
    assertThat(totals.value().tokens()).isEqualTo(tokens);
  }

  @Test
  void aHiddenTextIsDroppedFromTheResult() {
    Dataset<Row> rows =
        read("tickets.jsonl").limit(5).withColumn("made", concat(lit("Subject: "), col("text")));

    Dataset<Row> result = classify(rows, RowColumns.of(new ModelInput.Text("made")).hiding("made"));

    assertThat(result.columns())
        .containsExactly(
            "id",
            "text",
            "label",
            "predicted_label",
            "predicted_score",
            "probabilities",
            "token_count",
            "truncated",
            "status",
            "error",
            "logits");
    assertThat(result.filter("status = 'ok'").count()).isEqualTo(5);
  }

  @Test
  void tokensAreUsedAsTheyAreAndMaskedOnesAreNotAttendedTo() {
    Dataset<Row> rows =
        spark
            .range(6)
            .withColumn("ids", expr("transform(sequence(1, 9), i -> cast(i * 7 as smallint))"))
            .withColumn("mask", expr("array_repeat(1L, 9)"));
    Dataset<Row> masked =
        rows.withColumn(
                "ids",
                expr(
                    "case id when 1 then concat(array(5S, 6S), ids)"
                        + " when 2 then array(3S, null) when 3 then array(-1S) when 4 then array() else ids"
                        + " end"))
            .withColumn(
                "mask",
                expr(
                    "case id when 1 then concat(array(0L, 0L), mask)"
                        + " when 3 then array(1L) when 4 then array() when 5 then null else mask end"));

    Map<Long, Row> plain =
        byId(classify(rows, RowColumns.of(new ModelInput.Tokens("ids", Optional.empty()))));
    Map<Long, Row> result =
        byId(classify(masked, RowColumns.of(new ModelInput.Tokens("ids", Optional.of("mask")))));

    assertThat(result.get(0L).<Object>getAs("logits")).isEqualTo(plain.get(0L).getAs("logits"));
    assertThat(result.get(0L).<Integer>getAs("token_count")).isEqualTo(9);
    assertThat(result.get(1L).<String>getAs("status")).isEqualTo("ok");
    assertThat(result.get(1L).<Integer>getAs("token_count")).isEqualTo(11);
    assertThat(code(result.get(2L))).isEqualTo("null-tokens");
    assertThat(code(result.get(3L))).isEqualTo("token-out-of-range");
    assertThat(code(result.get(4L))).isEqualTo("empty-tokens");
    assertThat(code(result.get(5L))).isEqualTo("bad-attention-mask");
  }

  private static Map<Long, Row> byId(Dataset<Row> rows) {
    return rows.collectAsList().stream()
        .collect(Collectors.toMap(row -> row.<Long>getAs("id"), row -> row));
  }

  private static String code(Row row) {
    return row.<Row>getAs("error").getAs("code");
  }

  @Test
  void idsBeyondIntAreOutOfRangeAndNotSomeOtherToken() {
    Dataset<Row> rows = spark.range(1).withColumn("ids", array(lit((1L << 32) + 5)));

    Row row = classify(rows, RowColumns.of(new ModelInput.Tokens("ids", Optional.empty()))).first();

    assertThat(code(row)).isEqualTo("token-out-of-range");
  }

  @Test
  void aColumnOfAnotherTypeIsRefused() {
    assertThatThrownBy(() -> classify(spark.range(1).toDF("text"), TEXT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("column text is bigint, expected string");
    assertThatThrownBy(() -> classify(spark.range(1).toDF("body"), TEXT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no column text among [body]");
  }

  @Test
  void everyColumnTypePassesThrough() {
    Dataset<Row> rows =
        read("tickets.jsonl")
            .limit(3)
            .selectExpr(
                "text",
                "cast(1.5 as decimal(30,5)) d",
                "timestamp'1583-01-01 00:00:00.123456' t",
                "timestamp_ntz'2020-01-01 00:00:00' n",
                "date'0900-02-03' day",
                "array(struct(1 as a, map('k', array(1, null)) as m)) nested",
                "X'00FF' bytes",
                "interval '1' day span",
                "cast(null as string) missing");

    Dataset<Row> result = classify(rows, TEXT).select(rows.columns()[0], tail(rows.columns()));

    assertThat(result.schema().simpleString()).isEqualTo(rows.schema().simpleString());
    assertThat(result.selectExpr("to_json(struct(*))").collectAsList())
        .containsExactlyInAnyOrderElementsOf(rows.selectExpr("to_json(struct(*))").collectAsList());
  }

  private static String[] tail(String[] names) {
    return Arrays.copyOfRange(names, 1, names.length);
  }

  @Test
  void multiLabelAndRegressionModelsGiveListsAndValues(@TempDir Path folder) throws IOException {
    Dataset<Row> rows = read("tickets.jsonl").limit(20);

    Dataset<Row> labels = classify(rows, TEXT, withProblemType(folder, "multi_label"));
    Dataset<Row> values = classify(rows, TEXT, withProblemType(folder, "regression"));

    assertThat(labels.schema().apply("predicted_labels").dataType().simpleString())
        .isEqualTo("array<string>");
    for (Row row : labels.collectAsList()) {
      Map<String, Double> probabilities = row.getJavaMap(row.fieldIndex("probabilities"));
      assertThat(row.<String>getList(row.fieldIndex("predicted_labels")))
          .containsExactlyInAnyOrderElementsOf(
              probabilities.keySet().stream().filter(l -> probabilities.get(l) >= 0.5).toList());
    }
    assertThat(values.schema().apply("predicted_values").dataType().simpleString())
        .isEqualTo("array<double>");
    for (Row row : values.collectAsList()) {
      List<Float> logits = row.getList(row.fieldIndex("logits"));
      assertThat(row.<Double>getList(row.fieldIndex("predicted_values")))
          .isEqualTo(logits.stream().map(Float::doubleValue).toList());
    }
  }

  @Test
  void anotherModelThanTheDriversIsRefused(@TempDir Path folder) throws IOException {
    RowSettings settings = withProblemType(folder, "regression");
    Path model = Path.of(settings.engine().model());
    Files.writeString(model.resolve("generation_config.json"), "{}");

    assertThatThrownBy(() -> classify(read("tickets.jsonl").limit(1), TEXT, settings).collect())
        .hasStackTraceContaining(settings.model().fingerprint())
        .hasStackTraceContaining("model.path must hold the same model on every host");
  }

  /** The sample model, but its logits mean something else. */
  private static RowSettings withProblemType(Path folder, String type) throws IOException {
    Path model = Files.createDirectory(folder.resolve(type));
    for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
      Files.copy(Path.of(TicketModel.SAMPLES, "ticket-classifier", name), model.resolve(name));
    }
    String problem = type.equals("regression") ? type : type + "_classification";
    Path config = model.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config).replaceFirst("\\{", "{\"problem_type\": \"" + problem + "\","));
    return TicketModel.float32(model.toString());
  }
}
