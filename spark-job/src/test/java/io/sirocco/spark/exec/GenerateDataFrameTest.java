package io.sirocco.spark.exec;

import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sirocco.arrow.GenerateOptions;
import io.sirocco.arrow.ScoreOptions;
import io.sirocco.sampling.GenerationKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Texts and label scores of the sample writer through a real Spark. */
class GenerateDataFrameTest {
  private static final RowColumns TEXT = RowColumns.of(new ModelInput.Text("text"));
  private static final RowColumns MESSAGES = RowColumns.of(new ModelInput.Messages("messages"));
  private static final GenerateOptions PLAIN = generateOptions(1);
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

  private static GenerateOptions generateOptions(int samples) {
    boolean no = false;
    return new GenerateOptions(samples, no, no);
  }

  private static List<Row> results(Dataset<Row> rows, RowColumns columns, RowSettings settings) {
    return DataFrameTask.results(rows, columns, settings, RowCounters.none()).collectAsList();
  }

  private static String code(Row row) {
    Row error = row.getAs("error");
    return error == null ? "ok" : error.getAs("code");
  }

  @Test
  void theTypesOfTheResultAreThoseOfTheInterface() {
    var rows = DataTypes.createStructType(List.of()).add("text", "string");
    RowSettings plain = WriterModel.generate(WriterModel.greedy(4), PLAIN);
    boolean yes = true;
    RowSettings all =
        WriterModel.generate(WriterModel.sampled(4), new GenerateOptions(3, yes, yes));
    RowSettings score = WriterModel.score(List.of("a", "b"), new ScoreOptions(0, yes));

    String common = "truncated:boolean,status:string,error:struct<code:string,message:string>";
    String generated =
        "struct<text:string,generated_text:string,finish_reason:string,prompt_tokens:int,"
            + "generated_tokens:int,";
    assertThat(DataFrameTask.resultType(rows, TEXT, plain).simpleString())
        .isEqualTo(generated + common + ">");
    assertThat(DataFrameTask.resultType(rows, TEXT, all).simpleString())
        .isEqualTo(
            generated
                + common
                + ",generated_token_ids:array<int>,token_logprobs:array<float>,"
                + "cumulative_logprob:double,sample_index:int>");
    assertThat(DataFrameTask.resultType(rows, TEXT, score).simpleString())
        .isEqualTo(
            "struct<text:string,predicted_label:string,predicted_score:double,"
                + "probabilities:map<string,double>,token_count:int,"
                + common
                + ",label_logprobs:map<string,double>>");
  }

  @Test
  void severalTextsOfARowAreRowsOfTheirOwn() {
    Dataset<Row> rows =
        WriterModel.prompts(spark, 1)
            .limit(6)
            .withColumn("text", expr("if(id = 'p-03-0', null, text)"))
            .repartition(2);
    RunTotals totals = new RunTotals();
    spark.sparkContext().register(totals, "totals");
    RowSettings settings =
        WriterModel.generate(WriterModel.sampled(12).with(GenerationKey.N, 3), generateOptions(3));

    List<Row> results =
        DataFrameTask.results(rows, TEXT.withKey("id"), settings, RowCounters.into(totals))
            .collectAsList();

    Map<String, List<Integer>> indexes = new TreeMap<>();
    for (Row row : results) {
      indexes
          .computeIfAbsent(row.getAs("id"), id -> new ArrayList<>())
          .add(row.getAs("sample_index"));
    }
    assertThat(indexes).hasSize(6);
    assertThat(indexes.remove("p-03-0")).containsExactly((Integer) null);
    assertThat(indexes.values()).allMatch(List.of(0, 1, 2)::equals);
    assertThat(results.stream().map(row -> row.<String>getAs("generated_text")).distinct().count())
        .isGreaterThan(10);
    assertThat(totals.value().rows()).isEqualTo(6);
    assertThat(totals.value().failed()).isEqualTo(Map.of("null-text", 1L));
    assertThat(totals.value().finishReasons().values().stream().mapToLong(Long::longValue).sum())
        .isEqualTo(15);
    assertThat(totals.value().generatedTokens())
        .isEqualTo(
            results.stream()
                .filter(row -> row.getAs("error") == null)
                .mapToLong(row -> row.<Integer>getAs("generated_tokens"))
                .sum());
    long prompts =
        results.stream()
            .filter(row -> Integer.valueOf(0).equals(row.getAs("sample_index")))
            .mapToLong(row -> row.<Integer>getAs("prompt_tokens"))
            .sum();
    assertThat(totals.value().tokens()).isEqualTo(prompts);
  }

  @Test
  void drawsDependOnTheKeyAndWithoutOneOnThePrompt() {
    Dataset<Row> same =
        WriterModel.prompts(spark, 4).filter("id like 'p-01-%'").withColumn("one", lit("k"));
    RowSettings settings = WriterModel.generate(WriterModel.sampled(24), PLAIN);

    assertThat(texts(same, TEXT, settings)).hasSize(1);
    assertThat(texts(same, TEXT.withKey("one"), settings)).hasSize(1);
    Set<String> keyed = texts(same, TEXT.withKey("id"), settings);
    assertThat(keyed).hasSize(4);
    assertThat(texts(same.orderBy(same.col("id").desc()), TEXT.withKey("id"), settings))
        .isEqualTo(keyed);
  }

  private static Set<String> texts(Dataset<Row> rows, RowColumns columns, RowSettings settings) {
    List<Row> results = results(rows, columns, settings);
    assertThat(results).hasSize(4).allMatch(row -> row.getAs("error") == null);
    return results.stream()
        .map(row -> row.<String>getAs("generated_text"))
        .collect(Collectors.toSet());
  }

  @Test
  void conversationsThatAreNoneFailAlone() {
    Dataset<Row> rows =
        spark
            .sql(
                """
                select * from values
                  (1, '[{"role": "user", "content": "Write a support ticket about bug."}]'),
                  (2, null),
                  (3, 'no json'),
                  (4, '{"role": "user", "content": "x"}'),
                  (5, '[{"role": "user"}]'),
                  (6, '[null]'),
                  (7, '[]'),
                  (8, '[{"role": "assistant", "content": "I begin"}]'),
                  (9, '[{"role": 1, "content": "x"}]')
                """)
            .toDF("id", "messages")
            .coalesce(1);

    List<Row> results = results(rows, MESSAGES, WriterModel.generate(WriterModel.greedy(4), PLAIN));

    assertThat(results.stream().map(row -> row.<Integer>getAs("id")))
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9);
    assertThat(results.stream().map(GenerateDataFrameTest::code))
        .containsExactly(
            "ok",
            "null-messages",
            "bad-messages",
            "bad-messages",
            "bad-messages",
            "bad-messages",
            "bad-messages",
            "template-error",
            "bad-messages");
  }

  @Test
  void labelsAreTheJobsOrTheRows() {
    Dataset<Row> rows =
        spark
            .sql(
                """
                select 'Classify this ticket into one of: billing, bug, account-access, shipping, \
                feature-request, praise. Ticket: The pickup point was full and now my parcel is being returned.' as text, * from values
                  (1, array('bug', 'shipping')),
                  (2, null),
                  (3, array('bug', null)),
                  (4, array('bug', 'bug')),
                  (5, array('shipping', 'bug', 'billing'))
                """)
            .toDF("text", "id", "choices")
            .coalesce(1);
    boolean logprobs = true;
    RowSettings settings =
        WriterModel.score(List.of("shipping", "praise"), new ScoreOptions(2, logprobs));

    List<Row> results = results(rows, TEXT.withLabels("choices"), settings);

    assertThat(results.stream().map(GenerateDataFrameTest::code))
        .containsExactly("ok", "ok", "bad-labels", "bad-labels", "ok");
    for (int row : List.of(0, 1, 4)) {
      Row result = results.get(row);
      assertThat(result.<String>getAs("predicted_label")).isEqualTo("shipping");
      Map<String, Double> logprobsOf = result.getJavaMap(result.fieldIndex("label_logprobs"));
      Map<String, Double> probabilities = result.getJavaMap(result.fieldIndex("probabilities"));
      double sum = logprobsOf.values().stream().mapToDouble(Math::exp).sum();
      assertThat(probabilities).hasSize(2);
      probabilities.forEach(
          (label, probability) ->
              assertThat(probability)
                  .isCloseTo(Math.exp(logprobsOf.get(label)) / sum, within(1e-9)));
      assertThat(result.<Double>getAs("predicted_score")).isEqualTo(probabilities.get("shipping"));
    }
    assertThat(results.get(1).getJavaMap(results.get(1).fieldIndex("label_logprobs")).keySet())
        .isEqualTo(Set.of("shipping", "praise"));
    assertThat(results.get(4).getJavaMap(results.get(4).fieldIndex("label_logprobs"))).hasSize(3);
  }
}
