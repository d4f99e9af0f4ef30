package io.sirocco.spark.bench;

import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Task;
import io.sirocco.engine.WeightOptions;
import java.util.List;

/**
 * One precision's part of a benchmark.
 *
 * @param sizes of its tests
 */
public record BenchSetting(
    KernelChoice kernels, PrecisionChoice precision, int threads, Sizes sizes) {
  /**
   * How much is measured.
   *
   * @param batches rows of those tests that take several
   * @param rows of classify and job
   * @param copies how often job reads them
   */
  public record Sizes(List<Integer> batches, int repetitions, int rows, List<Integer> copies) {}

  /** For an engine on that model, with the batches and the longest row of jobs. */
  EngineOptions engine(BenchCheckpoint model, Task task) {
    return EngineOptions.of(model.folder().toString(), task)
        .withPrecision(precision)
        .withKernels(kernels)
        .withThreads(threads)
        .withWeights(WeightOptions.DEFAULT.withFolder(model.prepared().toString()));
  }
}
