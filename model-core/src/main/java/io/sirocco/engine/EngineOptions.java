package io.sirocco.engine;

import io.sirocco.tokenizer.SpecialTokenText;
import java.io.Serializable;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;

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

  /** Token budget of one forward pass. */
  public static final int DEFAULT_BATCH_TOKENS = 2048;

  /** Longest row, in tokens. */
  public static final int DEFAULT_MAX_TOKENS = 4096;

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
   * That task on that model with everything else in its default: numeric mode and kernels by the
   * machine, one thread, {@link #DEFAULT_BATCH_TOKENS}, rows of {@link #DEFAULT_MAX_TOKENS} and
   * none longer, special tokens as literal text, {@link #DEFAULT_BATCH_DEADLINE}, weights in their
   * default form; everything is computed for each row anew, without adapters.
   */
  public static EngineOptions of(String model, Task task) {
    return new EngineOptions(
        model,
        PrecisionChoice.AUTO,
        KernelChoice.AUTO,
        1,
        DEFAULT_BATCH_TOKENS,
        DEFAULT_MAX_TOKENS,
        OverLength.ERROR,
        SpecialTokenText.LITERAL,
        task,
        DEFAULT_BATCH_DEADLINE,
        Reuse.NONE,
        WeightOptions.DEFAULT,
        AdapterOptions.NONE);
  }

  /** The same with the checkpoint in another folder. */
  public EngineOptions withModel(String other) {
    return with(values -> values.model = other);
  }

  /** The same in another numeric mode. */
  public EngineOptions withPrecision(PrecisionChoice other) {
    return with(values -> values.precision = other);
  }

  /** The same with another implementation of the numeric operations. */
  public EngineOptions withKernels(KernelChoice other) {
    return with(values -> values.kernels = other);
  }

  /** The same with another number of threads. */
  public EngineOptions withThreads(int other) {
    return with(values -> values.threads = other);
  }

  /** The same with another token budget of a forward pass. */
  public EngineOptions withBatchTokens(int other) {
    return with(values -> values.batchTokens = other);
  }

  /** The same with another longest row, in tokens. */
  public EngineOptions withMaxTokens(int other) {
    return with(values -> values.maxTokens = other);
  }

  /** The same with something else becoming of longer rows. */
  public EngineOptions withOverLength(OverLength other) {
    return with(values -> values.overLength = other);
  }

  /** The same with another reading of special tokens' texts. */
  public EngineOptions withSpecialTokens(SpecialTokenText other) {
    return with(values -> values.specialTokens = other);
  }

  /** The same with another limit of a forward pass. */
  public EngineOptions withBatchDeadline(Duration other) {
    return with(values -> values.batchDeadline = other);
  }

  /** The same with other things done once. */
  public EngineOptions withReuse(Reuse other) {
    return with(values -> values.reuse = other);
  }

  /** The same with weights in another form. */
  public EngineOptions withWeights(WeightOptions other) {
    return with(values -> values.weights = other);
  }

  /** The same with other adapters. */
  public EngineOptions withAdapters(AdapterOptions other) {
    return with(values -> values.adapters = other);
  }

  private EngineOptions with(Consumer<Values> change) {
    Values values = new Values(this);
    change.accept(values);
    return values.options();
  }

  /** All components, one of which is about to change: the one place that lists them again. */
  private static final class Values {
    private String model;
    private PrecisionChoice precision;
    private KernelChoice kernels;
    private int threads;
    private int batchTokens;
    private int maxTokens;
    private OverLength overLength;
    private SpecialTokenText specialTokens;
    private final Task task;
    private Duration batchDeadline;
    private Reuse reuse;
    private WeightOptions weights;
    private AdapterOptions adapters;

    Values(EngineOptions options) {
      model = options.model;
      precision = options.precision;
      kernels = options.kernels;
      threads = options.threads;
      batchTokens = options.batchTokens;
      maxTokens = options.maxTokens;
      overLength = options.overLength;
      specialTokens = options.specialTokens;
      task = options.task;
      batchDeadline = options.batchDeadline;
      reuse = options.reuse;
      weights = options.weights;
      adapters = options.adapters;
    }

    EngineOptions options() {
      return new EngineOptions(
          model,
          precision,
          kernels,
          threads,
          batchTokens,
          maxTokens,
          overLength,
          specialTokens,
          task,
          batchDeadline,
          reuse,
          weights,
          adapters);
    }
  }
}
