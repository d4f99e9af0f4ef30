package io.sirocco.spark.job;

import io.sirocco.arrow.ClassifyOptions;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.OverLength;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.spark.exec.ExecutorEngine;
import io.sirocco.tokenizer.SpecialTokenText;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A job as its YAML file describes it, checked; {@link JobConfigReader} knows keys and defaults.
 */
record JobConfig(
    Task task,
    Model model,
    Input input,
    Output output,
    Classify classify,
    Batch batch,
    Errors errors) {

  /** What is done with each row. */
  enum Task {
    CLASSIFY
  }

  /**
   * @param path a Hugging Face folder
   * @param maxTokens longest row, special tokens included
   * @param specialTokens how a special token's text inside a row is read
   */
  record Model(
      String path,
      PrecisionChoice precision,
      KernelChoice kernels,
      int maxTokens,
      OverLength overLength,
      SpecialTokenText specialTokens) {}

  /**
   * @param path files, folders or globs; empty if a table is read
   * @param schema in Spark's DDL; without it files tell, or are read through to find it
   * @param textColumn this, a template, or a tokens column: exactly one is there
   */
  record Input(
      List<String> path,
      Optional<String> table,
      InputFormat format,
      Map<String, String> options,
      Optional<String> schema,
      Optional<String> textColumn,
      Optional<Template> template,
      Optional<String> tokensColumn,
      Optional<String> attentionMaskColumn,
      List<String> keyColumns) {}

  /**
   * @param prefix before the name of every result column
   * @param logits whether they are written, too
   */
  record Output(String path, OutputMode mode, String prefix, boolean logits) {}

  /**
   * @param topK labels kept in probabilities; all if empty
   */
  record Classify(double threshold, Optional<Integer> topK) {}

  /**
   * @param maxTokens of one forward pass
   */
  record Batch(int maxTokens) {}

  /**
   * @param maxFailureRate share of failed rows above which the job exits with 4
   */
  record Errors(double maxFailureRate) {}

  /** For the engine of an executor, which takes all of its cores. */
  EngineOptions engineOptions() {
    return new EngineOptions(
        model.path(),
        model.precision(),
        model.kernels(),
        ExecutorEngine.ALL_CORES,
        batch.maxTokens(),
        model.maxTokens(),
        model.overLength(),
        model.specialTokens(),
        new io.sirocco.engine.Task.Classify());
  }

  ClassifyOptions classifyOptions() {
    return new ClassifyOptions(classify.threshold(), classify.topK().orElse(0), output.logits());
  }
}
