package io.sirocco.spark.sizing;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.spark.LocalSpark;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows shared out by a real Spark. */
class TaskSizingTest {
  private static final int ROWS = 20_000;
  private static final Column TOKENS = functions.length(functions.col("text"));
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

  /** One row of a hundred is a hundred times longer than the others, and all of those come last. */
  private static Dataset<Row> skewed(int partitions) {
    String text = "repeat('word ', if(id >= " + ROWS * 99 / 100 + ", 400, 4))";
    return spark.range(0, ROWS, 1, partitions).selectExpr("id", text + " as text", "map(id, 1)");
  }

  /** Tokens of each partition, in order. */
  private static long[] tokens(Dataset<Row> rows) {
    long[] tokens = new long[rows.javaRDD().getNumPartitions()];
    rows.select(functions.spark_partition_id().as("partition"), TOKENS.as("tokens"))
        .groupBy("partition")
        .agg(functions.sum("tokens"))
        .collectAsList()
        .forEach(row -> tokens[row.getInt(0)] = row.getLong(1));
    return tokens;
  }

  private static List<List<Long>> ids(Dataset<Row> rows) {
    List<List<Long>> partitions = new ArrayList<>();
    for (int i = 0; i < rows.javaRDD().getNumPartitions(); i++) {
      partitions.add(new ArrayList<>());
    }
    rows.select(functions.spark_partition_id(), functions.col("id"))
        .collectAsList()
        .forEach(row -> partitions.get(row.getInt(0)).add(row.getLong(1)));
    partitions.forEach(ids -> ids.sort(null));
    return partitions;
  }

  @Test
  void theWorkIsMeasuredAsItLies() {
    Work work = TaskSizing.measure(skewed(4), TOKENS);

    assertThat(work.rows()).isEqualTo(ROWS);
    assertThat(work.partitions()).isEqualTo(4);
    assertThat(work.tokens()).isEqualTo(19_800 * 20L + 200 * 2_000L);
    assertThat(work.tokensByClass().get(Work.classOf(20))).isEqualTo(19_800 * 20L);
    assertThat(work.tokensByClass().get(Work.classOf(2_000))).isEqualTo(200 * 2_000L);
    assertThat(work.largest()).isEqualTo(LongStream.of(tokens(skewed(4))).max().orElseThrow());
  }

  @Test
  void aSkewedInputBecomesTasksOfTheirShareTheLongestFirst() {
    Dataset<Row> rows = skewed(4);
    Work work = TaskSizing.measure(rows, TOKENS);
    TaskTarget target = new TaskTarget(work.tokens() / 10, work.tokens() / 80, 2);

    Dataset<Row> sized = TaskSizing.sized(rows, TOKENS, work, target);

    long[] before = tokens(rows);
    long[] after = tokens(sized);
    long[] ends = target.slices(work);
    System.out.println("TaskSizingTest: tokens as read " + Arrays.toString(before));
    System.out.println("TaskSizingTest: tokens as sized " + Arrays.toString(after));
    assertThat(sized.columns()).containsExactly(rows.columns());
    assertThat(after).hasSameSizeAs(ends);
    assertThat(LongStream.of(after).sum()).isEqualTo(work.tokens());
    assertThat(before[3]).isGreaterThan(work.tokens() / 2);
    for (int i = 0; i < ends.length; i++) {
      double share = ends[i] - (i == 0 ? 0 : ends[i - 1]);
      assertThat(after[i] / share).as("partition " + i).isBetween(0.4, 1.6);
    }
    List<List<Long>> ids = ids(sized);
    assertThat(ids.get(0)).as("long rows first").allMatch(id -> id >= 19_800);
    assertThat(ids.get(ends.length - 1)).as("short rows last").allMatch(id -> id < 19_800);
    assertThat(ids.stream().flatMap(List::stream).sorted().toList())
        .isEqualTo(LongStream.range(0, ROWS).boxed().toList());
  }

  @Test
  void everyEvaluationGivesTheSamePartitions() {
    Dataset<Row> rows = skewed(3);
    Work work = TaskSizing.measure(rows, TOKENS);
    TaskTarget target = new TaskTarget(work.tokens() / 6, work.tokens() / 48, 2);

    List<List<Long>> once = ids(TaskSizing.sized(rows, TOKENS, work, target));
    List<List<Long>> again = ids(TaskSizing.sized(skewed(3), TOKENS, work, target));

    assertThat(TaskSizing.measure(skewed(3), TOKENS)).isEqualTo(work);
    assertThat(once).hasSizeGreaterThan(5).isEqualTo(again);
  }

  @Test
  void rowsThatAreGoodEnoughStayWhereTheyAre() {
    Dataset<Row> rows = skewed(4);
    Work work = TaskSizing.measure(rows, TOKENS);
    TaskTarget target = new TaskTarget(work.tokens(), work.tokens(), 2);

    assertThat(TaskSizing.sized(rows, TOKENS, work, target)).isSameAs(rows);
    Dataset<Row> none = rows.limit(0);
    Work nothing = TaskSizing.measure(none, TOKENS);
    assertThat(nothing).isEqualTo(Work.NONE);
    assertThat(TaskSizing.sized(none, TOKENS, nothing, target)).isSameAs(none);
  }

  @Test
  void aFileThatCannotBeSplitIsSharedOutAllTheSame() {
    String file = folder.resolve("one.json.gz").toString();
    skewed(1).drop("map(id, 1)").write().option("compression", "gzip").json(file);
    Dataset<Row> rows = spark.read().json(file);
    Work work = TaskSizing.measure(rows, TOKENS);

    Dataset<Row> sized =
        TaskSizing.sized(
            rows, TOKENS, work, new TaskTarget(work.tokens() / 8, work.tokens() / 64, 2));

    assertThat(work.partitions()).isEqualTo(1);
    assertThat(LongStream.of(tokens(sized)).max().orElseThrow()).isLessThan(work.tokens() / 4);
    assertThat(sized.count()).isEqualTo(ROWS);
  }

  @Test
  void equalRowsOfSeveralFilesDoNotMeetInOneTask() {
    Dataset<Row> rows = spark.range(0, 8_000, 1, 16).selectExpr("'the same' as text");
    Work work = TaskSizing.measure(rows, TOKENS);

    long[] tokens =
        tokens(
            TaskSizing.sized(
                rows, TOKENS, work, new TaskTarget(work.tokens() / 40, work.tokens() / 40, 2)));

    assertThat(Arrays.stream(tokens).max().orElseThrow()).isLessThan(work.tokens() / 3);
  }

  @Test
  void rowsWithoutTextAreOneTokenEach() {
    Dataset<Row> rows = spark.range(10).selectExpr("cast(null as string) as text");

    assertThat(TaskSizing.measure(rows, TOKENS).tokens()).isEqualTo(10);
  }
}
