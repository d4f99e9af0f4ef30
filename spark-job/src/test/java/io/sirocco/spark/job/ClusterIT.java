package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sirocco.bench.Geometry;
import io.sirocco.bench.SyntheticCheckpoint;
import io.sirocco.spark.JavaProcess;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.MappedPages;
import io.sirocco.spark.MiniHdfs;
import io.sirocco.spark.OpenFiles;
import io.sirocco.spark.StandaloneCluster;
import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The submit jar on a standalone cluster: one worker, four executors on one host. */
class ClusterIT {
  private static final int EXECUTORS = 4;
  private static final Duration LIMIT = Duration.ofMinutes(10);
  private static final long POLL_MILLISECONDS = 500;

  /** Of a tiny model, a few hundred kB each. */
  private static final int LAYERS = Integer.getInteger("sirocco.cluster.layers", 40);

  private static final Geometry GEOMETRY =
      Geometry.named(System.getProperty("sirocco.cluster.geometry", "tiny")).orElseThrow();

  /** A classifier's part of a causal model, at least: it does not read the head. */
  private static final double TOUCHED = 0.7;

  /** Bytes per second: the sample model takes some seconds. */
  private static final long SLOW = 400_000;

  /** One executor for each core that the worker offers; the job begins when all are there. */
  private static final List<String> OPTIONS =
      List.of(
          "--conf", "spark.executor.cores=1",
          "--conf", "spark.executor.memory=512m",
          "--conf", "spark.executorEnv.OMP_WAIT_POLICY=passive",
          "--conf", "spark.scheduler.minRegisteredResourcesRatio=1.0",
          "--conf", "spark.cores.max=" + EXECUTORS);

  @TempDir static Path shared;
  private static StandaloneCluster cluster;
  private static SparkSession spark;

  @TempDir Path folder;

  @BeforeAll
  static void startCluster() throws IOException, InterruptedException {
    cluster = StandaloneCluster.start(shared, new StandaloneCluster.Offer(EXECUTORS, "4g"));
  }

  /** For looking at results. */
  @BeforeAll
  static void startSpark() {
    spark = LocalSpark.builder("local[2]").getOrCreate();
  }

  @AfterAll
  static void stopAll() {
    spark.stop();
    cluster.close();
  }

  private JavaProcess submit(Path output, String... settings) throws IOException {
    List<String> arguments =
        new ArrayList<>(List.of("run", "--config", "configs/classify-tickets.yaml"));
    List<String> all = new ArrayList<>(List.of("output.path=" + output));
    all.add("model.path=" + Path.of("../sample-data/ticket-classifier").toRealPath());
    all.addAll(List.of(settings));
    all.forEach(setting -> arguments.addAll(List.of("--set", setting)));
    List<String> options = new ArrayList<>(OPTIONS);
    options.addAll(List.of("--conf", "spark.sirocco.cache.dir=" + cache()));
    return cluster.submit(options, arguments.toArray(String[]::new));
  }

  @Test
  void fourExecutorsClassifyAsTheReferenceDoes() throws IOException, InterruptedException {
    Path output = folder.resolve("out");

    JavaProcess driver = submit(output, "model.precision=float32", "input.rows-per-task=50");

    assertThat(driver.await(LIMIT)).as(driver.log()).isEqualTo(ExitCode.DONE);
    assertThat(driver.log()).contains("1,200 rows: 1,200 ok, 0 failed").contains("oneDNN");
    assertThat(driver.log()).doesNotContain("kernels are plain Java");
    requireReferenceLabels(output);
    assertThat(cluster.executors()).as("none is left when the job has ended").isEmpty();
  }

  /**
   * {@code -Dsirocco.cluster.geometry=mistral-7b -Dsirocco.cluster.layers=4} takes a model of 2.3
   * GB.
   */
  @Test
  void fourExecutorsShareOneCopyOfAModelThatIsFetchedOnce()
      throws IOException, InterruptedException {
    assumeTrue(MappedPages.known(), "one copy of the weights: shown on Linux only");
    Path model = folder.resolve("model");
    SyntheticCheckpoint.write(model, GEOMETRY, LAYERS);
    long size = Files.size(model.resolve("model.safetensors"));
    try (MiniHdfs hdfs = MiniHdfs.start()) {
      String uri = hdfs.put(model, "/model");

      JavaProcess driver =
          submit(
              folder.resolve("out"),
              "model.path=" + uri,
              "model.max-tokens=512",
              "input.path=sample-data/tickets-dirty.jsonl",
              "input.rows-per-task=2");
      Sample sample = best(driver);

      assertThat(driver.await(LIMIT)).as(driver.log()).isEqualTo(ExitCode.DONE);
      long read = hdfs.bytesRead();
      System.out.printf(
          "ClusterIT: weights of %,d bytes, resident in each of %d executors %s, Pss of all %,d;"
              + " %,d bytes read from HDFS%n",
          size, EXECUTORS, sample.resident(), sample.proportional(), read);
      assertThat(sample.resident())
          .hasSize(EXECUTORS)
          .allSatisfy(resident -> assertThat(resident).isGreaterThan((long) (TOUCHED * size)));
      assertThat(sample.proportional()).isLessThanOrEqualTo((long) (1.1 * size));
      assertThat(fetches(uri)).as("bytes fetched by an executor").containsExactly(bytes(model));
      // HDFS sends whole blocks to the driver, which looks into the beginnings of a few.
      assertThat(read).isBetween(size, 3 * size);
    }
  }

  @Test
  void whereTheExecutorThatFetchesIsKilledAnotherGoesOn() throws IOException, InterruptedException {
    assumeTrue(MappedPages.known(), "who fetches is seen on Linux only");
    try (MiniHdfs hdfs = MiniHdfs.start(SLOW)) {
      String uri = hdfs.put(Path.of("../sample-data/ticket-classifier"), "/model");
      Path output = folder.resolve("out");

      JavaProcess driver =
          submit(output, "model.path=" + uri, "model.precision=float32", "input.rows-per-task=50");
      ProcessHandle fetching = awaitFetching(driver);
      StandaloneCluster.kill(fetching);

      assertThat(driver.await(LIMIT)).as(driver.log()).isEqualTo(ExitCode.DONE);
      assertThat(driver.log()).contains("Lost executor").contains("1,200 rows: 1,200 ok");
      requireReferenceLabels(output);
    }
  }

  /** What executors say that they have brought here of a model, each time one did. */
  private static List<Long> fetches(String uri) throws IOException {
    return Pattern.compile("fetched (\\d+) of the \\d+ bytes of " + Pattern.quote(uri) + " ")
        .matcher(cluster.executorLogs())
        .results()
        .map(found -> Long.valueOf(found.group(1)))
        .toList();
  }

  private static long bytes(Path model) throws IOException {
    long all = 0;
    try (Stream<Path> files = Files.list(model)) {
      for (Path file : files.toList()) {
        all += Files.size(file);
      }
    }
    return all;
  }

  /** The executor that has a file open of a model which is not complete. */
  private ProcessHandle awaitFetching(JavaProcess driver) throws InterruptedException {
    Path partial = cache().resolve("partial");
    while (driver.isAlive()) {
      for (ProcessHandle executor : cluster.executors()) {
        if (OpenFiles.of(executor).stream().anyMatch(file -> isWeights(file, partial))) {
          return executor;
        }
      }
      Thread.sleep(POLL_MILLISECONDS / 10);
    }
    throw new AssertionError("no executor was seen fetching:\n" + driver.log());
  }

  private static boolean isWeights(Path file, Path partial) {
    return file.startsWith(partial) && file.endsWith("model.safetensors");
  }

  private Path cache() {
    return folder.resolve("cache");
  }

  /** What was seen of the weights at one time: in each executor, and on the whole host. */
  private record Sample(List<Long> resident, long proportional) {
    static final Sample NONE = new Sample(List.of(), 0);

    long least() {
      return resident.stream().mapToLong(Long::longValue).min().orElse(0);
    }
  }

  /** While the job runs: the sample in which the executors had read most. */
  private Sample best(JavaProcess driver) throws IOException, InterruptedException {
    Sample best = Sample.NONE;
    while (driver.isAlive()) {
      Optional<Path> weights = cachedWeights();
      if (weights.isPresent()) {
        List<Long> resident =
            cluster.executors().stream()
                .map(executor -> MappedPages.of(executor, weights.get()).resident())
                .toList();
        Sample sample = new Sample(resident, 0);
        if (resident.size() == EXECUTORS && sample.least() > best.least()) {
          best = new Sample(resident, proportional(weights.get()));
        }
      }
      Thread.sleep(POLL_MILLISECONDS);
    }
    return best;
  }

  private static long proportional(Path weights) {
    return MappedPages.everywhere(weights).stream().mapToLong(MappedPages::proportional).sum();
  }

  private Optional<Path> cachedWeights() throws IOException {
    Path models = cache().resolve("models");
    if (!Files.isDirectory(models)) {
      return Optional.empty();
    }
    try (Stream<Path> all = Files.list(models)) {
      return all.map(model -> model.resolve("model.safetensors")).filter(Files::exists).findAny();
    }
  }

  private static void requireReferenceLabels(Path output) {
    Map<String, String> labels = column(spark.read().parquet(output.toString()), "predicted_label");
    Map<String, String> expected =
        column(spark.read().json("../sample-data/expected-classify.jsonl"), "label");
    assertThat(labels).hasSize(1200);
    assertThat(expected).hasSize(200);
    assertThat(labels).containsAllEntriesOf(expected);
  }

  private static Map<String, String> column(Dataset<Row> rows, String name) {
    return rows.collectAsList().stream()
        .collect(Collectors.toMap(row -> row.getAs("id"), row -> row.getAs(name)));
  }
}
