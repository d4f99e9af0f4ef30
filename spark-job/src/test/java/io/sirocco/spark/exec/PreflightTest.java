package io.sirocco.spark.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.arrow.ClassifyOptions;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.prepared.PreparedWeights;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.store.ModelSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is known of the executors before the first batch, and what is refused. */
class PreflightTest {
  private static final long GIB = 1L << 30;

  @AfterEach
  void closeEngines() {
    ExecutorEngine.closeIdle();
    assertThat(ExecutorEngine.openEngines()).isZero();
  }

  @Test
  void inLocalModeTheOneHostIsCheckedAndItsEngineStaysOpen() throws Exception {
    SparkSession spark = TicketModel.spark("local[2]");
    try {
      RowSettings settings =
          TicketModel.settings(TicketModel.engine(PrecisionChoice.AUTO, 1, 512), "");
      TicketModel.lease(settings.engine()).close();
      Preflight.Result result =
          Preflight.run(spark.sparkContext(), settings, Preflight.Differences.REFUSE);

      assertThat(result.unreached()).isEmpty();
      HostReport host = result.hosts().get(0);
      assertThat(result.hosts()).hasSize(1);
      assertThat(host.place().executor()).isEqualTo("driver");
      assertThat(host.processor().model()).isNotBlank();
      assertThat(host.processor().cores()).isBetween(1, 2);
      assertThat(host.engine().fingerprint()).isEqualTo(settings.model().fingerprint());
      assertThat(host.engine().threads()).isEqualTo(1);
      assertThat(host.memory().weightsMapped()).isBetween(2_000_000L, 2_100_000L);
      assertThat(host.memory().owned()).isPositive();
      assertThat(host.memory().heapMax()).isEqualTo(Runtime.getRuntime().maxMemory());
      EngineOptions pinned = result.applied(settings).engine();
      assertThat(pinned.precision().name()).isEqualToIgnoringCase(host.engine().precision());
      try (ExecutorEngine.Lease lease = TicketModel.lease(pinned)) {
        assertThat(lease.engine().plan().fingerprint()).isEqualTo(host.engine().fingerprint());
        assertThat(ExecutorEngine.openEngines()).isEqualTo(1);
      }
    } finally {
      spark.stop();
    }
  }

  @Test
  void anotherModelThanThePlannedOneIsRefusedByItsHost() {
    SparkSession spark = TicketModel.spark("local[1]");
    try {
      RowSettings other =
          new RowSettings(
              TicketModel.engine(PrecisionChoice.FLOAT32, 1, 512),
              new ClassifyOptions(0.5, 0, false),
              new PlannedModel(
                  ModelSource.local(TicketModel.SAMPLES + "ticket-classifier"),
                  "0".repeat(64),
                  Optional.empty()),
              "");
      assertThatThrownBy(
              () -> Preflight.run(spark.sparkContext(), other, Preflight.Differences.SAY))
          .isInstanceOf(ModelException.class)
          .hasMessageStartingWith("on localhost (executor driver): ")
          .hasMessageContaining("0".repeat(64));
    } finally {
      spark.stop();
    }
  }

  @Test
  void everyExecutorOfAClusterIsReached(@TempDir Path home) throws Exception {
    SparkSession spark = cluster(home);
    try {
      Path model = Path.of(TicketModel.SAMPLES, "ticket-classifier").toRealPath();
      EngineOptions engine =
          TicketModel.engine(PrecisionChoice.AUTO, 1, 512).withModel(model.toString());
      RowSettings settings = TicketModel.settings(engine, "");
      Preflight.Result result =
          Preflight.run(spark.sparkContext(), settings, Preflight.Differences.REFUSE);

      assertThat(result.unreached()).isEmpty();
      assertThat(result.hosts())
          .extracting(host -> host.place().executor())
          .containsExactlyInAnyOrder("0", "1");
      assertThat(result.hosts())
          .extracting(host -> host.engine().fingerprint())
          .containsOnly(settings.model().fingerprint());

      RowSettings greedy =
          new RowSettings(
              engine.withModel(home.toString()),
              settings.results(),
              new PlannedModel(
                  ModelSource.local(home.toString()),
                  settings.model().fingerprint(),
                  settings.model().labels()),
              "");
      assertThatThrownBy(
              () -> Preflight.run(spark.sparkContext(), greedy, Preflight.Differences.SAY))
          .isInstanceOf(ModelException.class)
          .hasMessageMatching("on \\S+ \\(executor [01]\\): .*config.json.*");
    } finally {
      spark.stop();
      System.clearProperty("spark.testing");
      System.clearProperty("spark.test.home");
    }
  }

  /** Two executors as processes of their own, with this JVM's class path. */
  private static SparkSession cluster(Path home) throws Exception {
    Files.createFile(home.resolve("RELEASE"));
    Files.createDirectory(home.resolve("jars"));
    System.setProperty("spark.testing", "true");
    System.setProperty("spark.test.home", home.toString());
    SparkSession spark =
        LocalSpark.builder("local-cluster[2,1,600]")
            .appName("sirocco-preflight-test")
            .config("spark.executor.memory", "600m")
            .config("spark.executorEnv.SPARK_SCALA_VERSION", "2.13")
            .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
            .getOrCreate();
    long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (spark.sparkContext().statusTracker().getExecutorInfos().length < 3
        && System.nanoTime() < end) {
      Thread.sleep(200);
    }
    return spark;
  }

  @Test
  void hostsThatDifferAreNamedOrRefused() {
    HostReport old = host("a", "bfloat16", "oneDNN 3.11, AVX512-BF16", GIB);
    HostReport other = host("b", "float32", "oneDNN 3.11, AVX2", GIB);
    Preflight.Result both = result(List.of(old, other));

    assertThat(HostDifferences.precisions(both.hosts())).containsExactly("bfloat16", "float32");
    Preflight.Result said = HostDifferences.judged(both, both.hosts(), Preflight.Differences.SAY);
    assertThat(said.notes()).hasSize(2);
    assertThat(said.notes().get(0)).contains("bfloat16 on a; float32 on b", "float32 is taken");
    assertThat(said.notes().get(1)).contains("AVX512-BF16 on a", "AVX2 on b", "rounding");
    assertThatThrownBy(
            () -> HostDifferences.judged(both, both.hosts(), Preflight.Differences.REFUSE))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("require-identical");
    Preflight.Result alike =
        result(List.of(old, host("c", "bfloat16", "oneDNN 3.11, AVX512-BF16", GIB)));
    assertThat(HostDifferences.judged(alike, alike.hosts(), Preflight.Differences.REFUSE).notes())
        .isEmpty();
  }

  @Test
  void memoryThatDoesNotSufficeIsNamedWithItsNumbers() {
    assertThat(notes(host("a", 8 * GIB, 64 * GIB))).isEmpty();
    assertThat(notes(host("a", 4 * GIB, 64 * GIB)).get(0))
        .contains(
            "a (executor 1)",
            "3.0 GiB",
            "the weights are 2.0 GiB",
            "limit is 4.0 GiB",
            "page cache");
    assertThat(notes(host("a", 2 * GIB, 64 * GIB)).get(0)).contains("may be killed");
    assertThat(notes(host("a", 8 * GIB, 7 * GIB), host("a", 8 * GIB, 7 * GIB)).get(0))
        .contains("a (2 executors)", "6.0 GiB", "the machine's memory is 7.0 GiB", "page cache");
  }

  private static List<String> notes(HostReport... hosts) {
    return HostDifferences.memoryNotes(List.of(hosts));
  }

  private static Preflight.Result result(List<HostReport> hosts) {
    return new Preflight.Result(
        hosts, List.of(), List.of(), TicketModel.engine(PrecisionChoice.AUTO, 1, 512));
  }

  private static HostReport host(String name, String precision, String arithmetic, long owned) {
    return new HostReport(
        new HostReport.Place("1", name, name + ":1"),
        new HostReport.Processor("a processor", List.of(), 2),
        new HostReport.Model(
            "f", precision, "stored", arithmetic, 2, 0.1, PreparedWeights.Made.NOTHING, List.of()),
        new HostReport.Memory(2 * GIB, owned, 2 * GIB, HostReport.UNLIMITED, HostReport.UNLIMITED));
  }

  private static HostReport host(String name, long limit, long machine) {
    HostReport host = host(name, "float32", "plain Java", GIB);
    return new HostReport(
        host.place(),
        host.processor(),
        host.engine(),
        new HostReport.Memory(2 * GIB, GIB, 2 * GIB, limit, machine));
  }
}
