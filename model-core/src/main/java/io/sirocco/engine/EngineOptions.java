package io.sirocco.engine;

import io.sirocco.tokenizer.SpecialTokenText;
import java.io.Serializable;
import java.time.Duration;
import java.util.Objects;

/**
 * What an engine is opened with.
 *
 * @param model folder of the checkpoint
 * @param precision numeric mode
 * @param kernels implementation of the numeric operations
 * @param threads threads that compute, at least 1
 * @param batchTokens token budget of one forward pass
 * @param maxTokens longest row, in tokens, special tokens included
 * @param overLength what becomes of longer rows
 * @param specialTokens how a special token's text inside a row is read
 * @param task what is done with the rows
 * @param batchDeadline how long one forward pass may take before the engine counts as broken; zero:
 *     as long as it likes
 * @param reuse what is done once for several rows
 * @param weights the form in which weights are kept
 * @param adapters LoRA adapters that rows can have
 */
public record EngineOptions(
    String model,
    PrecisionChoice precision,
    KernelChoice kernels,
    int threads,
    int batchTokens,
    int maxTokens,
    OverLength overLength,
    SpecialTokenText specialTokens,
    Task task,
    Duration batchDeadline,
    Reuse reuse,
    WeightOptions weights,
    AdapterOptions adapters)
    implements Serializable {

  /** Ten minutes: far more than a pass of any model takes, on any machine that is fit for it. */
  public static final Duration DEFAULT_BATCH_DEADLINE = Duration.ofMinutes(10);

  public EngineOptions {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(precision, "precision");
    Objects.requireNonNull(kernels, "kernels");
    Objects.requireNonNull(overLength, "overLength");
    Objects.requireNonNull(specialTokens, "specialTokens");
    Objects.requireNonNull(task, "task");
    Objects.requireNonNull(batchDeadline, "batchDeadline");
    Objects.requireNonNull(reuse, "reuse");
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(adapters, "adapters");
    if (batchDeadline.isNegative()) {
      throw new IllegalArgumentException("batchDeadline " + batchDeadline);
    }
    if (threads < 1 || batchTokens < 1 || maxTokens < 1) {
      throw new IllegalArgumentException(
          "threads " + threads + ", batchTokens " + batchTokens + ", maxTokens " + maxTokens);
    }
  }

  /**
   * With {@link #DEFAULT_BATCH_DEADLINE} and weights in their default form; everything is computed
   * for each row anew, without adapters.
   */
  public EngineOptions(
      String model,
      PrecisionChoice precision,
      KernelChoice kernels,
      int threads,
      int batchTokens,
      int maxTokens,
      OverLength overLength,
      SpecialTokenText specialTokens,
      Task task) {
    this(
        model,
        precision,
        kernels,
        threads,
        batchTokens,
        maxTokens,
        overLength,
        specialTokens,
        task,
        DEFAULT_BATCH_DEADLINE,
        Reuse.NONE,
        WeightOptions.DEFAULT,
        AdapterOptions.NONE);
  }

  /** The same with the checkpoint in another folder. */
  public EngineOptions withModel(String other) {
    return with(other, precision, threads, batchDeadline, reuse, weights, adapters);
  }

  /** The same with another number of threads. */
  public EngineOptions withThreads(int other) {
    return with(model, precision, other, batchDeadline, reuse, weights, adapters);
  }

  /** The same in another numeric mode. */
  public EngineOptions withPrecision(PrecisionChoice other) {
    return with(model, other, threads, batchDeadline, reuse, weights, adapters);
  }

  /** The same with another limit of a forward pass. */
  public EngineOptions withBatchDeadline(Duration other) {
    return with(model, precision, threads, other, reuse, weights, adapters);
  }

  /** The same with other things done once. */
  public EngineOptions withReuse(Reuse other) {
    return with(model, precision, threads, batchDeadline, other, weights, adapters);
  }

  /** The same with weights in another form. */
  public EngineOptions withWeights(WeightOptions other) {
    return with(model, precision, threads, batchDeadline, reuse, other, adapters);
  }

  /** The same with other adapters. */
  public EngineOptions withAdapters(AdapterOptions other) {
    return with(model, precision, threads, batchDeadline, reuse, weights, other);
  }

  private EngineOptions with(
      String otherModel,
      PrecisionChoice otherPrecision,
      int otherThreads,
      Duration otherDeadline,
      Reuse otherReuse,
      WeightOptions otherWeights,
      AdapterOptions otherAdapters) {
    return new EngineOptions(
        otherModel,
        otherPrecision,
        kernels,
        otherThreads,
        batchTokens,
        maxTokens,
        overLength,
        specialTokens,
        task,
        otherDeadline,
        otherReuse,
        otherWeights,
        otherAdapters);
  }
}
