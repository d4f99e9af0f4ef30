package io.sirocco.engine;

import io.sirocco.tokenizer.SpecialTokenText;
import java.io.Serializable;
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
    Task task)
    implements Serializable {

  public EngineOptions {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(precision, "precision");
    Objects.requireNonNull(kernels, "kernels");
    Objects.requireNonNull(overLength, "overLength");
    Objects.requireNonNull(specialTokens, "specialTokens");
    Objects.requireNonNull(task, "task");
    if (threads < 1 || batchTokens < 1 || maxTokens < 1) {
      throw new IllegalArgumentException(
          "threads " + threads + ", batchTokens " + batchTokens + ", maxTokens " + maxTokens);
    }
  }

  /** The same with the checkpoint in another folder. */
  public EngineOptions withModel(String other) {
    return new EngineOptions(
        other,
        precision,
        kernels,
        threads,
        batchTokens,
        maxTokens,
        overLength,
        specialTokens,
        task);
  }

  /** The same with another number of threads. */
  public EngineOptions withThreads(int other) {
    return new EngineOptions(
        model, precision, kernels, other, batchTokens, maxTokens, overLength, specialTokens, task);
  }
}
