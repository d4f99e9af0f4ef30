package io.sirocco.spark.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.spark.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
  private void prepare() throws IOException {
    publication().stage(rows(3));
    publication().publish();
    Files.createDirectories(out().resolve("_sirocco/results"));
    publication().stage(rows(5));
    assertThat(count()).isEqualTo(3);
  }

  private long count() {
    return spark.read().parquet(out().toString()).count();
  }

  private void requireNewResults() {
    assertThat(count()).isEqualTo(5);
    assertThat(out().resolve("_SUCCESS")).exists();
    assertThat(out().resolve("_sirocco/results")).exists();
    assertThat(out().resolve("_sirocco/publish")).doesNotExist();
    assertThat(aside()).doesNotExist();
  }

  @Test
  void newResultsReplaceOldOnes() throws IOException {
    prepare();
    publication().publish();

    requireNewResults();
  }

  @Test
  void aCrashBehindTheFirstRenameIsRecovered() throws IOException {
    prepare();
    Files.move(out(), aside());
    publication().recover();

    requireNewResults();
  }

  @Test
  void aCrashBehindTheSecondRenameIsRecovered() throws IOException {
    prepare();
    Files.move(out(), aside());
    Files.move(aside().resolve("_sirocco/publish"), out());
    assertThat(count()).isEqualTo(5);
    publication().recover();

    requireNewResults();
  }

  @Test
  void aCrashBehindTheThirdRenameIsRecovered() throws IOException {
    prepare();
    Files.move(out(), aside());
    Files.move(aside().resolve("_sirocco/publish"), out());
    Files.move(aside().resolve("_sirocco"), out().resolve("_sirocco"));
    publication().recover();

    requireNewResults();
  }

  @Test
  void whereNothingWasCutOffNothingIsRecovered() throws IOException {
    prepare();
    publication().recover();
    assertThat(count()).isEqualTo(3);

    publication().stage(rows(1).filter("id = 0"), rows(2).filter("id = 1"));
    publication().publish();
    assertThat(
            spark.read().parquet(out().toString()).collectAsList().stream()
                .map(row -> row.getLong(0)))
        .isEqualTo(List.of(0L));
    assertThat(spark.read().parquet(out().resolve("_failed").toString()).count()).isEqualTo(1);
  }
}
