package io.sirocco.spark.exec;

import io.sirocco.arrow.ClassifyOptions;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Task;
import io.sirocco.spark.LocalSpark;
import io.sirocco.spark.store.ModelSource;
import org.apache.spark.sql.SparkSession;

/** The sample classifier and a real Spark, as the tests use them. */
final class TicketModel {
  static final String SAMPLES = "../sample-data/";
  static final int MAX_TOKENS = 4096;

  private TicketModel() {}

  static SparkSession spark(String master) {
    return LocalSpark.builder(master)
        .appName("sirocco-test")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate();
  }

  static EngineOptions engine(PrecisionChoice precision, int threads, int batchTokens) {
    return engine(SAMPLES + "ticket-classifier", precision, threads, batchTokens);
  }

  private static EngineOptions engine(
      String model, PrecisionChoice precision, int threads, int batchTokens) {
    return EngineOptions.of(model, new Task.Classify())
        .withPrecision(precision)
        .withThreads(threads)
        .withBatchTokens(batchTokens)
        .withMaxTokens(MAX_TOKENS);
  }

  static ExecutorEngine.Lease lease(EngineOptions engine) {
    return ExecutorEngine.lease(engine, ModelSource.local(engine.model()));
  }

  static RowSettings settings(EngineOptions engine, String prefix) {
    boolean logits = true;
    return new RowSettings(
        engine,
        new ClassifyOptions(0.5, 0, logits),
        PlannedModel.of(
            ModelSource.local(engine.model()), Engine.plan(ExecutorEngine.onThisExecutor(engine))),
        prefix);
  }

  static RowSettings float32() {
    return float32(SAMPLES + "ticket-classifier");
  }

  static RowSettings float32(String model) {
    return settings(engine(model, PrecisionChoice.FLOAT32, ExecutorEngine.ALL_CORES, 2048), "");
  }
}
