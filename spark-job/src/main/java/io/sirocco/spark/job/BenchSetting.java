package io.sirocco.spark.job;

import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.OverLength;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Task;
import io.sirocco.engine.WeightOptions;
import io.sirocco.tokenizer.SpecialTokenText;
import java.util.List;

/**
 * One precision's part of a benchmark.
 *
 * @param sizes of its tests
 */
record BenchSetting(KernelChoice kernels, PrecisionChoice precision, int threads, Sizes sizes) {
  /** Token budget of a forward pass, as in jobs. */
  static final int BATCH_TOKENS = 2048;

  private static final int LONGEST_ROW = 4096;

  /**
   * How much is measured.
   *
   * @param batches rows of those tests that take several
   * @param rows of classify and job
   * @param copies how often job reads them
   */
  record Sizes(List<Integer> batches, int repetitions, int rows, List<Integer> copies) {}

  /** For an engine on that model. */
  EngineOptions engine(BenchCheckpoint model, Task task) {
    return new EngineOptions(
            model.folder().toString(),
            precision,
            kernels,
            threads,
            BATCH_TOKENS,
            LONGEST_ROW,
            OverLength.ERROR,
            SpecialTokenText.LITERAL,
            task)
        .withWeights(WeightOptions.DEFAULT.withFolder(model.prepared().toString()));
  }
}
