package io.sirocco.spark.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.spark.LocalSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Results appear at once or not at all, also where a crash comes between the renames: on a local
 * disk here, on HDFS in {@link HdfsPublicationTest}.
 */
class PublicationTest {
  private static SparkSession spark;

  @TempDir java.nio.file.Path folder;
  private FileSystem files;
  private Path out;
  private Path aside;

  @BeforeAll
  static void startSpark() {
    spark = LocalSpark.builder("local[1]").getOrCreate();
  }

  @AfterAll
  static void stopSpark() {
    spark.stop();
  }

  /** Where the output is to be. */
  Path parent() {
    return new Path(folder.toUri());
  }

  @BeforeEach
  void findPlaces() throws IOException {
    out = new Path(parent(), "out");
    aside = new Path(parent(), ".out.sirocco-replaced");
    files = out.getFileSystem(new Configuration());
  }

  private Publication publication() throws IOException {
    return new OutputTarget(out.toString(), new Configuration()).publication();
  }

  private static Dataset<Row> rows(int count) {
    return spark.range(count).toDF("id");
  }

  /** Something published, something durable, and new results staged. */
  private Publication prepare() throws IOException {
    publish(rows(3));
    write(new Path(out, "_sirocco/results/0/attempt-0001/part-0"), "durable");
    write(new Path(out, "_README"), "of somebody else");
    Publication next = publication();
    next.stage(rows(5));
    assertThat(count()).isEqualTo(3);
    return next;
  }

  private void write(Path file, String text) throws IOException {
    try (var stream = files.create(file)) {
      stream.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  private String text(Path file) throws IOException {
    try (var stream = files.open(file)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private void move(Path from, Path to) throws IOException {
    assertThat(files.exists(to)).isFalse();
    assertThat(files.rename(from, to)).isTrue();
  }

  private void publish(Dataset<Row> results) throws IOException {
    Publication publication = publication();
    publication.stage(results);
    publication.publish();
  }

  /** As the publication that was cut off calls it. */
  private Path stepAside(Publication cutOff) throws IOException {
    cutOff.verify();
    move(out, aside);
    return new Path(aside, "_sirocco/" + cutOff.staging().getName());
  }

  private long count() {
    return spark.read().parquet(out.toString()).count();
  }

  private void requireNewResults() throws IOException {
    requireResults(5);
    assertThat(text(new Path(out, "_sirocco/results/0/attempt-0001/part-0"))).isEqualTo("durable");
    assertThat(text(new Path(out, "_README"))).isEqualTo("of somebody else");
  }

  private void requireResults(int rows) throws IOException {
    assertThat(count()).isEqualTo(rows);
    assertThat(files.exists(new Path(out, "_SUCCESS"))).isTrue();
    RemoteIterator<LocatedFileStatus> left = files.listFiles(out, true);
    while (left.hasNext()) {
      assertThat(left.next().getPath().toString()).doesNotContain("publish-");
    }
    assertThat(files.listStatus(parent()))
        .extracting(FileStatus::getPath)
        .extracting(Path::getName)
        .containsExactly("out");
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
    move(stepAside(prepare()), out);
    assertThat(count()).isEqualTo(5);
    publication().recover();

    requireNewResults();
  }

  @Test
  void aCrashBehindTheThirdRenameIsRecovered() throws IOException {
    Path staged = stepAside(prepare());
    move(staged, out);
    files.delete(staged.suffix(".verified"), false);
    move(new Path(aside, "_sirocco"), new Path(out, "_sirocco"));
    publication().recover();

    requireNewResults();
  }

  @Test
  void whatTasksMakeDurableBetweenTheRenamesIsKept() throws IOException {
    Path staged = stepAside(prepare());
    write(new Path(out, "_sirocco/results/0/attempt-0001/part-1"), "late");
    publication().recover();
    requireNewResults();
    assertThat(text(new Path(out, "_sirocco/results/0/attempt-0002/part-1"))).isEqualTo("late");
    assertThat(files.exists(staged)).isFalse();
  }

  @Test
  void whatTasksMakeDurableBehindTheRenamesIsKept() throws IOException {
    move(stepAside(prepare()), out);
    write(new Path(out, "_sirocco/results/1/attempt-0007/part-1"), "late");
    publication().recover();

    requireNewResults();
    assertThat(text(new Path(out, "_sirocco/results/1/attempt-0001/part-1"))).isEqualTo("late");
  }

  @Test
  void whatIsNotVerifiedIsNotShown() throws IOException {
    Publication cutOff = prepare();
    move(out, aside);
    publication().recover();

    requireOldResults();
    cutOff.publish();
    requireNewResults();
  }

  private void requireOldResults() throws IOException {
    assertThat(count()).isEqualTo(3);
    assertThat(files.exists(aside)).isFalse();
    assertThat(files.exists(new Path(out, "_sirocco/results/0"))).isTrue();
  }

  @Test
  void resultsThatTwoRunsClaimAreLeftToPeople() throws IOException {
    stepAside(prepare());
    rows(7).write().parquet(out.toString());

    assertThatThrownBy(() -> publication().recover())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("out holds results")
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
  void resultsThatAreGoneAtTheLastMomentLeaveTheOldOnes() throws IOException {
    Publication next = prepare();
    next.verify();
    files.delete(next.staging(), true);
    move(out, aside);
    publication().recover();

    requireOldResults();
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
            spark.read().parquet(out.toString()).collectAsList().stream()
                .map(row -> row.getLong(0)))
        .isEqualTo(List.of(0L));
    assertThat(spark.read().parquet(new Path(out, "_failed").toString()).count()).isEqualTo(1);
  }
}
