package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.spark.JavaProcess;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.MiniHdfs;
import io.sirocco.spark.StandaloneCluster;
import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jobs on a standalone cluster and a real HDFS, of which parts are killed: what comes out is what a
 * run without trouble gives. Takes a quarter of an hour, so it runs on request only: {@code
 * -Dsirocco.recovery.rows=3000} sets the size of the job.
 */
@EnabledIfSystemProperty(
    named = "sirocco.recovery.rows",
    matches = "\\d+",
    disabledReason = "takes a quarter of an hour: -Dsirocco.recovery.rows=3000 runs it")
class RecoveryIT {
  private static final int ROWS = Integer.getInteger("sirocco.recovery.rows", 3000);
  private static final int TASKS = 20;
  private static final int EXECUTORS = 3;
  private static final Duration LIMIT = Duration.ofMinutes(9);
  private static final long POLL_MILLISECONDS = 100;

  @TempDir static java.nio.file.Path shared;
  private static MiniHdfs hdfs;
  private static FileSystem files;
  private static StandaloneCluster cluster;
  private static SparkSession spark;
  private static List<String> undisturbed;

  @BeforeAll
  static void startAll() throws IOException, InterruptedException {
    hdfs = MiniHdfs.start();
    files = FileSystem.get(URI.create(hdfs.uri()), new Configuration());
    cluster = StandaloneCluster.start(shared, new StandaloneCluster.Offer(EXECUTORS, "3g"));
    spark = LocalSpark.builder("local[2]").getOrCreate();
    files.copyFromLocalFile(
        new Path(java.nio.file.Path.of("../sample-data/ticket-classifier").toUri()),
        new Path("/model"));
    writeInput();
    JavaProcess driver = submit("undisturbed", List.of());
    assertThat(driver.await(LIMIT)).as(driver.log()).isEqualTo(ExitCode.DONE);
    undisturbed = rows("undisturbed");
    assertThat(undisturbed).hasSize(ROWS);
  }

  @AfterAll
  static void stopAll() throws IOException {
    spark.stop();
    cluster.close();
    hdfs.close();
  }

  private static void writeInput() throws IOException {
    ObjectMapper json = new ObjectMapper();
    List<String> tickets =
        Files.readAllLines(java.nio.file.Path.of("../sample-data/tickets.jsonl"));
    try (PrintStream out =
        new PrintStream(files.create(new Path("/tickets.jsonl")), false, StandardCharsets.UTF_8)) {
      for (int row = 0; row < ROWS; row++) {
        String text = json.readTree(tickets.get(row % tickets.size())).path("text").asText();
        out.println(
            json.createObjectNode().put("id", row).put("text", "Case " + row + ": " + text));
      }
    }
  }

  private static JavaProcess submit(String output, List<String> options) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--conf",
                "spark.executor.cores=1",
                "--conf",
                "spark.executor.memory=512m",
                "--conf",
                "spark.cores.max=" + EXECUTORS,
                "--conf",
                "spark.sql.shuffle.partitions=4",
                "--conf",
                "spark.sirocco.cache.dir=" + shared.resolve("cache"),
                "--conf",
                "spark.hadoop.fs.defaultFS=" + hdfs.uri()));
    all.addAll(options);
    return cluster.submit(
        all,
        "run",
        "--config",
        "configs/classify-tickets.yaml",
        "--set",
        "model.path=" + hdfs.uri() + "/model",
        "--set",
        "model.precision=float32",
        "--set",
        "input.path=/tickets.jsonl",
        "--set",
        "input.schema='id long, text string'",
        "--set",
        "input.rows-per-task=" + ROWS / TASKS,
        "--set",
        "output.path=/" + output,
        "--set",
        "output.mode=resume");
  }

  private static List<String> rows(String output) {
    return spark.read().parquet(hdfs.uri() + "/" + output).toJSON().collectAsList().stream()
        .sorted()
        .toList();
  }

  private static JsonNode record(String output) throws IOException {
    try (InputStream in = files.open(new Path("/" + output + "/_sirocco/run.json"))) {
      return new ObjectMapper().readTree(in);
    }
  }

  /** Files that tasks have made durable so far. */
  private static String[] durable(String output) throws IOException {
    FileStatus[] found =
        files.globStatus(new Path("/" + output + "/_sirocco/results/*/attempt-*/part-*"));
    return found == null
        ? new String[0]
        : Arrays.stream(found).map(file -> file.getPath().toString()).toArray(String[]::new);
  }

  private static void awaitDurable(String output, long rows, JavaProcess driver)
      throws IOException, InterruptedException {
    int counted = 0;
    while (true) {
      assertThat(driver.isAlive()).as(driver.log()).isTrue();
      String[] paths = durable(output);
      // Counting takes the cores from the job, so it is done for new files only.
      if (paths.length > counted && spark.read().parquet(paths).count() >= rows) {
        return;
      }
      counted = paths.length;
      Thread.sleep(POLL_MILLISECONDS);
    }
  }

  @Test
  void aJobWhoseDriverIsKilledThreeTimesComesToTheSameEnd()
      throws IOException, InterruptedException {
    int[] percent = {30, 60, 90};
    for (int share : percent) {
      JavaProcess driver = submit("killed", List.of());
      awaitDurable("killed", (long) ROWS * share / 100, driver);
      driver.kill();
      assertThat(files.exists(new Path("/killed/_SUCCESS"))).isFalse();
    }
    JavaProcess driver = submit("killed", List.of());

    assertThat(driver.await(LIMIT)).as(driver.log()).isEqualTo(ExitCode.DONE);
    assertThat(rows("killed").equals(undisturbed)).as("the same bytes").isTrue();
    JsonNode attempts = record("killed").path("attempts");
    // A small job may have come to its end before the last kill met it.
    assertThat(attempts.size()).isBetween(percent.length, percent.length + 1);
    long done = 0;
    for (int attempt = 0; attempt < attempts.size(); attempt++) {
      assertThat(attempts.get(attempt).path("missing").asLong())
          .as("what was done by then is not done again")
          .isEqualTo(ROWS - done);
      done += attempts.get(attempt).path("rows").asLong();
      if (attempt < percent.length) {
        assertThat(done).isGreaterThanOrEqualTo((long) ROWS * percent[attempt] / 100);
      }
    }
    assertThat(done).as("no row's result is there twice").isEqualTo(ROWS);
    System.out.printf(
        Locale.ROOT, "RecoveryIT: %,d rows, killed at 30, 60 and 90 %%: %s%n", ROWS, attempts);
  }

  @Test
  void aJobThatLosesTwoExecutorsComesToTheSameEnd() throws IOException, InterruptedException {
    JavaProcess driver = submit("lost", List.of());
    for (int lost = 1; lost <= 2; lost++) {
      awaitDurable("lost", (long) ROWS * lost / 4, driver);
      StandaloneCluster.kill(cluster.executors().get(0));
    }

    assertThat(driver.await(LIMIT)).as(driver.log()).isEqualTo(ExitCode.DONE);
    assertThat(rows("lost").equals(undisturbed)).as("the same bytes").isTrue();
    assertThat(record("lost").at("/attempts/0/rows").asLong()).isEqualTo(ROWS);
  }

  @Test
  void failingAndOvertakenTasksChangeNothing() throws IOException, InterruptedException {
    List<String> options =
        List.of(
            "--jars", jarOf(LateFailures.class).toString(),
            "--conf", "spark.sql.sources.commitProtocolClass=" + LateFailures.class.getName(),
            "--conf", "spark.speculation=true",
            "--conf", "spark.speculation.interval=200ms",
            "--conf", "spark.speculation.quantile=0.5");
    JavaProcess driver = submit("failing", options);

    assertThat(driver.await(LIMIT)).as(driver.log()).isEqualTo(ExitCode.DONE);
    assertThat(driver.log()).contains("fails once by design");
    assertThat(rows("failing").equals(undisturbed)).as("the same bytes").isTrue();
    JsonNode record = record("failing");
    assertThat(record.at("/counts/rows").asLong()).isEqualTo(ROWS);
    assertThat(record.at("/attempts/0/rows").asLong()).isEqualTo(ROWS);
    assertThat(record.at("/this_run/rows").asLong()).isEqualTo(ROWS);
  }

  private static java.nio.file.Path jarOf(Class<?> type) throws IOException {
    java.nio.file.Path jar = shared.resolve(type.getSimpleName() + ".jar");
    String name = type.getName().replace('.', '/') + ".class";
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file);
        InputStream in = type.getResourceAsStream("/" + name)) {
      out.putNextEntry(new JarEntry(name));
      in.transferTo(out);
    }
    return jar;
  }
}
