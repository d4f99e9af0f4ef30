package io.sirocco.spark.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.spark.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Results appear at once or not at all, also where a crash comes between the renames. */
class PublicationTest {
  private static SparkSession spark;

  @TempDir Path folder;

  @BeforeAll
  static void startSpark() {
    spark = LocalSpark.builder("local[1]").getOrCreate();
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  private Publication publication() throws IOException {
    return new OutputTarget(out().toString(), new Configuration()).publication();
  }

  private Path out() {
    return folder.resolve("out");
  }

  private Path aside() {
    return folder.resolve(".out.sirocco-replaced");
  }

  private static Dataset<Row> rows(int count) {
    return spark.range(count).toDF("id");
  }

  /** Something published, something durable, and new results staged. */
  private Publication prepare() throws IOException {
    publish(rows(3));
    Files.createDirectories(out().resolve("_sirocco/results"));
    Files.writeString(out().resolve("_README"), "of somebody else");
    Publication next = publication();
    next.stage(rows(5));
    assertThat(count()).isEqualTo(3);
    return next;
  }

  private void publish(Dataset<Row> results) throws IOException {
    Publication publication = publication();
    publication.stage(results);
    publication.publish();
  }

  /** As the publication that was cut off calls it. */
  private Path stepAside(Publication cutOff) throws IOException {
    cutOff.verify();
    Files.move(out(), aside());
    return aside().resolve("_sirocco").resolve(cutOff.staging().getName());
  }

  private long count() {
    return spark.read().parquet(out().toString()).count();
  }

  private void requireNewResults() throws IOException {
    requireResults(5);
    assertThat(out().resolve("_sirocco/results")).exists();
    assertThat(out().resolve("_README")).hasContent("of somebody else");
  }

  private void requireResults(int rows) throws IOException {
    assertThat(count()).isEqualTo(rows);
    assertThat(out().resolve("_SUCCESS")).exists();
    try (Stream<Path> left = Files.walk(out())) {
      assertThat(left.filter(path -> path.toString().contains("publish-"))).isEmpty();
    }
    assertThat(aside()).doesNotExist();
  }

  @Test
  void newResultsReplaceOldOnes() throws IOException {
    prepare().publish();

    requireNewResults();
  }

  @Test
  void aCrashBehindTheFirstRenameIsRecovered() throws IOException {
    stepAside(prepare());
    publication().recover();

    requireNewResults();
  }

  @Test
  void aCrashBehindTheSecondRenameIsRecovered() throws IOException {
    Files.move(stepAside(prepare()), out());
    assertThat(count()).isEqualTo(5);
    publication().recover();

    requireNewResults();
  }

  @Test
  void aCrashBehindTheThirdRenameIsRecovered() throws IOException {
    Path staged = stepAside(prepare());
    Files.move(staged, out());
    Files.delete(staged.resolveSibling(staged.getFileName() + ".verified"));
    Files.delete(staged.resolveSibling("." + staged.getFileName() + ".verified.crc"));
    Files.move(aside().resolve("_sirocco"), out().resolve("_sirocco"));
    publication().recover();

    requireNewResults();
  }

  @Test
  void tasksThatMakeTheFolderAgainBetweenTheRenamesAreNoObstacle() throws IOException {
    stepAside(prepare());
    Files.createDirectories(out().resolve("_sirocco/results/0/attempt-0001/_temporary"));
    publication().recover();

    requireNewResults();
  }

  @Test
  void whatIsNotVerifiedIsNotShown() throws IOException {
    Publication cutOff = prepare();
    Files.move(out(), aside());
    publication().recover();

    requireOldResults();
    cutOff.publish();
    requireNewResults();
  }

  private void requireOldResults() {
    assertThat(count()).isEqualTo(3);
    assertThat(aside()).doesNotExist();
  }

  @Test
  void resultsThatTwoRunsClaimAreLeftToPeople() throws IOException {
    stepAside(prepare());
    rows(7).write().parquet(out().toString());

    assertThatThrownBy(() -> publication().recover())
        .isInstanceOf(IOException.class)
        .hasMessageContaining(out() + " holds results")
        .hasMessageContaining("delete the one that is of no use");
    assertThat(count()).isEqualTo(7);
  }

  @Test
  void ofTwoRunsAtATimeNoneShowsWhatTheOtherHasTouched() throws IOException {
    Publication first = prepare();
    Publication second = publication();
    second.stage(rows(4));

    assertThatThrownBy(first::publish)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("does another job have the same output.path?");
    requireOldResults();

    second.publish();
    requireResults(4);
    assertThatThrownBy(first::publish).isInstanceOf(IOException.class);
    requireResults(4);
  }

  @Test
  void resultsThatChangedAfterTheyWereWrittenAreNotShown() throws IOException {
    Publication next = prepare();
    rows(2).write().mode("append").parquet(next.staging().toString());

    assertThatThrownBy(next::publish).isInstanceOf(IOException.class);
    requireOldResults();
  }

  @Test
  void whereNothingWasCutOffNothingIsRecovered() throws IOException {
    prepare();
    publication().recover();
    assertThat(count()).isEqualTo(3);

    Publication apart = publication();
    apart.stage(rows(1).filter("id = 0"), rows(2).filter("id = 1"));
    apart.publish();
    assertThat(
            spark.read().parquet(out().toString()).collectAsList().stream()
                .map(row -> row.getLong(0)))
        .isEqualTo(List.of(0L));
    assertThat(spark.read().parquet(out().resolve("_failed").toString()).count()).isEqualTo(1);
  }
}
