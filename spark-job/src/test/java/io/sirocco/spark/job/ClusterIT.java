package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sirocco.bench.Geometry;
import io.sirocco.bench.SyntheticCheckpoint;
import io.sirocco.spark.JavaProcess;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.MappedPages;
import io.sirocco.spark.StandaloneCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
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

  /** Of a few hundred kB each. */
  private static final int LAYERS = 40;

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
    return cluster.submit(OPTIONS, arguments.toArray(String[]::new));
  }

  @Test
  void fourExecutorsClassifyAsTheReferenceDoes() throws IOException, InterruptedException {
    Path output = folder.resolve("out");

    JavaProcess driver = submit(output, "model.precision=float32", "input.rows-per-task=50");

    assertThat(driver.await(LIMIT)).as(driver.log()).isEqualTo(ExitCode.DONE);
    assertThat(driver.log()).contains("1,200 rows: 1,200 ok, 0 failed").contains("oneDNN");
    assertThat(driver.log()).doesNotContain("kernels are plain Java");
    Map<String, String> labels = labels(output);
    assertThat(labels).hasSize(1200);
    Map<String, String> expected =
        column(spark.read().json("../sample-data/expected-classify.jsonl"), "label");
    assertThat(expected).hasSize(200);
    assertThat(labels).containsAllEntriesOf(expected);
    assertThat(cluster.executors()).as("none is left when the job has ended").isEmpty();
  }

  @Test
  void fourExecutorsShareOneCopyOfTheWeights() throws IOException, InterruptedException {
    assumeTrue(MappedPages.known(), "one copy of the weights: shown on Linux only");
    Path model = folder.resolve("model");
    SyntheticCheckpoint.write(model, Geometry.TINY, LAYERS);
    Path weights = model.resolve("model.safetensors").toRealPath();

    JavaProcess driver =
        submit(
            folder.resolve("out"),
            "model.path=" + model,
            "model.max-tokens=512",
            "input.path=sample-data/tickets-dirty.jsonl",
            "input.rows-per-task=2");
    Sample sample = best(driver, weights);

    assertThat(driver.await(LIMIT)).as(driver.log()).isEqualTo(ExitCode.DONE);
    long size = Files.size(weights);
    System.out.printf(
        "ClusterIT: weights of %,d bytes, resident in each of %d executors %s, Pss of all %,d%n",
        size, EXECUTORS, sample.resident(), sample.proportional());
    assertThat(sample.resident())
        .hasSize(EXECUTORS)
        .allSatisfy(resident -> assertThat(resident).isGreaterThan((long) (0.9 * size)));
    assertThat(sample.proportional()).isLessThanOrEqualTo((long) (1.1 * size));
  }

  /** What was seen of the weights at one time: in each executor, and on the whole host. */
  private record Sample(List<Long> resident, long proportional) {
    static final Sample NONE = new Sample(List.of(), 0);

    long least() {
      return resident.stream().mapToLong(Long::longValue).min().orElse(0);
    }
  }

  /** While the job runs: the sample in which the executors had read most. */
  private static Sample best(JavaProcess driver, Path weights) throws InterruptedException {
    Sample best = Sample.NONE;
    while (driver.isAlive()) {
      List<Long> resident =
          cluster.executors().stream()
              .map(executor -> MappedPages.of(executor, weights).resident())
              .toList();
      Sample sample = new Sample(resident, 0);
      if (resident.size() == EXECUTORS && sample.least() > best.least()) {
        long all =
            MappedPages.everywhere(weights).stream().mapToLong(MappedPages::proportional).sum();
        best = new Sample(resident, all);
      }
      Thread.sleep(POLL_MILLISECONDS);
    }
    return best;
  }

  private static Map<String, String> labels(Path output) {
    return column(spark.read().parquet(output.toString()), "predicted_label");
  }

  private static Map<String, String> column(Dataset<Row> rows, String name) {
    return rows.collectAsList().stream()
        .collect(Collectors.toMap(row -> row.getAs("id"), row -> row.getAs(name)));
  }
}
