package io.sirocco.spark.exec;

import io.sirocco.arrow.GenerateOptions;
import io.sirocco.arrow.ResultOptions;
import io.sirocco.arrow.ScoreOptions;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Prompts;
import io.sirocco.engine.Task;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.sampling.GenerationOptions;
import io.sirocco.spark.store.ModelSource;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** The sample writer, as the tests use it. */
final class WriterModel {
  private static final boolean YES = true;

  /** All columns on request, one text for each row. */
  static final GenerateOptions ALL_COLUMNS = new GenerateOptions(1, YES, YES);

  private WriterModel() {}

  static EngineOptions engine(Task task, PrecisionChoice precision, int threads) {
    return EngineOptions.of(TicketModel.SAMPLES + "ticket-writer", task)
        .withPrecision(precision)
        .withThreads(threads)
        .withMaxTokens(TicketModel.MAX_TOKENS);
  }

  /** Chats, written in float32 with all threads there are. */
  static RowSettings generate(GenerationOptions options, GenerateOptions results) {
    return settings(
        engine(task(options, 16), PrecisionChoice.FLOAT32, ExecutorEngine.ALL_CORES), results);
  }

  static Task task(GenerationOptions options, int maxSequences) {
    return new Task.Generate(options, Prompts.chat(""), 0, maxSequences, YES);
  }

  static RowSettings score(List<String> labels, ScoreOptions results) {
    Task task = new Task.Score(labels, "", Prompts.chat(""));
    return settings(engine(task, PrecisionChoice.FLOAT32, ExecutorEngine.ALL_CORES), results);
  }

  static RowSettings settings(EngineOptions engine, ResultOptions results) {
    return new RowSettings(
        engine,
        results,
        PlannedModel.of(
            ModelSource.local(engine.model()), Engine.plan(ExecutorEngine.onThisExecutor(engine))),
        "");
  }

  static GenerationOptions greedy(int newTokens) {
    return GenerationOptions.none().with(GenerationKey.MAX_NEW_TOKENS, newTokens);
  }

  static GenerationOptions sampled(int newTokens) {
    return greedy(newTokens)
        .with(GenerationKey.DO_SAMPLE, YES)
        .with(GenerationKey.TEMPERATURE, 0.7)
        .with(GenerationKey.TOP_P, 0.9)
        .with(GenerationKey.SEED, 11L);
  }

  /** Columns {@code id} and {@code text}; each of the 60 sample prompts {@code times} times. */
  static Dataset<Row> prompts(SparkSession spark, int times) {
    return spark
        .read()
        .schema("id string, category string, tone string")
        .json(TicketModel.SAMPLES + "prompts.jsonl")
        .crossJoin(spark.range(0, times, 1, 1).toDF("n"))
        .select(
            functions.concat_ws("-", functions.col("id"), functions.col("n")).as("id"),
            functions
                .format_string(
                    "Write a support ticket about %s. Tone: %s.",
                    functions.col("category"), functions.col("tone"))
                .as("text"));
  }
}
