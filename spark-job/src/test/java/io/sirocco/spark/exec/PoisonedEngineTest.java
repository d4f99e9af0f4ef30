package io.sirocco.spark.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.arrow.ClassifyOptions;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Task;
import io.sirocco.spark.store.ModelSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Engines that break under their tasks: the attempt fails, the next one opens a new engine. */
class PoisonedEngineTest {
  private static final int ROWS = 60;

  @TempDir Path folder;
  private SparkSession spark;

  @BeforeEach
  void start() {
    spark = TicketModel.spark("local[2,3]");
  }

  @AfterEach
  void stop() {
    spark.stop();
    ExecutorEngine.closeIdle();
    assertThat(ExecutorEngine.openEngines()).isZero();
  }

  @Test
  void weightsThatVanishFailTheAttemptAndTheNextOneIsRight() throws Exception {
    for (String file : List.of("config.json", "tokenizer.json", "model.safetensors")) {
      Files.copy(Path.of(TicketModel.SAMPLES, "ticket-classifier", file), folder.resolve(file));
    }
    Path weights = folder.resolve("model.safetensors");
    Path whole = Files.copy(weights, folder.resolve("whole"));
    RowSettings settings = settings(engine(folder.toString(), Duration.ofMinutes(1)));
    Dataset<Row> results = results(settings, ROWS);
    Map<String, String> expected = labels(results);
    ExecutorEngine.Lease before = TicketModel.lease(settings.engine());
    Engine broken = before.engine();
    before.close();

    RestoreAfterFailure restore = new RestoreAfterFailure(whole, weights);
    spark.sparkContext().addSparkListener(restore);
    try (FileChannel channel = FileChannel.open(weights, StandardOpenOption.WRITE)) {
      channel.truncate(100_000);
    }
    Map<String, String> found = labels(results(settings, ROWS));

    assertThat(found).isEqualTo(expected).hasSize(ROWS);
    // An attempt that comes before the file is back finds it cut off when it opens the model.
    assertThat(restore.reasons).anyMatch(why -> why.contains("InternalError"));
    assertThat(broken.failure()).isPresent();
    try (ExecutorEngine.Lease after = TicketModel.lease(settings.engine())) {
      assertThat(after.engine()).isNotSameAs(broken);
    }
    assertThat(ExecutorEngine.openEngines()).isEqualTo(1);
  }

  /** Whoever runs the cluster puts the file back once a task has failed for it. */
  private static final class RestoreAfterFailure extends SparkListener {
    private final Set<String> reasons = ConcurrentHashMap.newKeySet();
    private final Path from;
    private final Path to;

    RestoreAfterFailure(Path from, Path to) {
      this.from = from;
      this.to = to;
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      if (end.taskInfo().failed()) {
        reasons.add(end.reason().toString());
        try {
          // Another file under the same name: who still maps the old one sees nothing of it.
          Path beside = to.resolveSibling("beside-" + end.taskInfo().taskId());
          Files.copy(from, beside);
          Files.move(beside, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  @Test
  void aDeadlineThatNoBatchMeetsEndsTheJobWithItsReason() {
    RowSettings settings =
        settings(engine(TicketModel.SAMPLES + "ticket-classifier", Duration.ofMillis(1)));
    assertThatThrownBy(() -> labels(results(settings, ROWS)))
        .hasMessageContaining("batch.deadline, which is 0.001s");
  }

  private Dataset<Row> results(RowSettings settings, int rows) {
    Dataset<Row> input =
        spark.read().json(TicketModel.SAMPLES + "tickets.jsonl").limit(rows).select("id", "text");
    return DataFrameTask.results(
        input.repartition(2),
        RowColumns.of(new ModelInput.Text("text")),
        settings,
        RowCounters.none());
  }

  private static Map<String, String> labels(Dataset<Row> results) {
    return results.select("id", "predicted_label", "status").collectAsList().stream()
        .collect(
            Collectors.toMap(row -> row.getString(0), row -> row.getString(1) + row.getString(2)));
  }

  private static RowSettings settings(EngineOptions engine) {
    boolean logits = false;
    return new RowSettings(
        engine,
        new ClassifyOptions(0.5, 0, logits),
        PlannedModel.of(
            ModelSource.local(engine.model()), Engine.plan(ExecutorEngine.onThisExecutor(engine))),
        "");
  }

  /** Plain Java: native kernels would get a signal that kills the JVM, an executor lost. */
  private static EngineOptions engine(String model, Duration deadline) {
    return EngineOptions.of(model, new Task.Classify())
        .withPrecision(PrecisionChoice.FLOAT32)
        .withKernels(KernelChoice.JAVA)
        .withThreads(2)
        .withBatchTokens(1024)
        .withMaxTokens(TicketModel.MAX_TOKENS)
        .withBatchDeadline(deadline);
  }
}
