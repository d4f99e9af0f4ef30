package io.sirocco.spark.job;

import io.sirocco.bench.BatchingBench;
import io.sirocco.bench.BenchModel;
import io.sirocco.bench.BenchResult;
import io.sirocco.bench.DecodeBench;
import io.sirocco.bench.MachinePeaks;
import io.sirocco.bench.PrefillBench;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.KernelSetup;
import io.sirocco.engine.OverLength;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.kernel.Kernels;
import io.sirocco.tokenizer.SpecialTokenText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/** Runs a benchmark's tests on one checkpoint. */
final class BenchRun {
  private static final Pattern PROMPT = Pattern.compile("pp([1-9][0-9]{0,5})");
  private static final Pattern WRITING = Pattern.compile("tg([1-9][0-9]{0,4})@d([1-9][0-9]{0,5})");
  private static final String BATCHING = "batching";
  private static final int STEP_TOKENS = 2048;
  private static final int LONGEST_PROMPT = 1024;

  private final Path checkpoint;
  private final String geometry;
  private final Consumer<String> progress;

  /**
   * One precision's part of a run.
   *
   * @param batches rows of those tests that take several
   */
  record Setting(
      KernelChoice kernels,
      PrecisionChoice precision,
      int threads,
      List<Integer> batches,
      int repetitions) {}

  BenchRun(Path checkpoint, String geometry, Consumer<String> progress) {
    this.checkpoint = checkpoint;
    this.geometry = geometry;
    this.progress = progress;
  }

  static boolean knows(String test) {
    return test.equals(BATCHING)
        || PROMPT.matcher(test).matches()
        || WRITING.matcher(test).matches();
  }

  /** Texts written at the same time, continuous against static batches; none without that test. */
  List<BatchingBench.Result> batching(List<String> tests, Setting setting)
      throws InterruptedException {
    List<BatchingBench.Result> results = new ArrayList<>();
    if (tests.contains(BATCHING)) {
      for (int batch : setting.batches()) {
        results.add(batching(setting, batch));
        progress.accept(BATCHING + " of " + batch + " rows done");
      }
    }
    return results;
  }

  /** The other tests. */
  List<BenchResult> speed(List<String> tests, Setting setting) {
    List<BenchResult> results = new ArrayList<>();
    if (tests.stream().allMatch(BATCHING::equals)) {
      return results;
    }
    KernelSetup setup = KernelSetup.of(setting.kernels(), setting.precision());
    try (BufferAllocator allocator = new RootAllocator();
        Kernels kernels = setup.open(setting.threads(), allocator);
        BenchModel model = BenchModel.open(checkpoint, geometry, kernels, allocator);
        MachinePeaks peaks = new MachinePeaks(model, setting.threads())) {
      for (String test : tests) {
        Matcher prompt = PROMPT.matcher(test);
        Matcher writing = WRITING.matcher(test);
        if (prompt.matches()) {
          int tokens = Integer.parseInt(prompt.group(1));
          results.add(new PrefillBench(model, peaks).prompt(tokens, setting.repetitions()));
          progress.accept(test + " done");
        } else if (writing.matches()) {
          for (int batch : setting.batches()) {
            DecodeBench.Size size =
                new DecodeBench.Size(
                    Integer.parseInt(writing.group(1)), Integer.parseInt(writing.group(2)), batch);
            results.add(new DecodeBench(model, peaks).write(size, setting.repetitions()));
            progress.accept(test + " of " + batch + " rows done");
          }
        }
      }
    }
    return results;
  }

  private BatchingBench.Result batching(Setting setting, int batch) throws InterruptedException {
    var config = BatchingBench.config(checkpoint);
    EngineOptions options =
        new EngineOptions(
            checkpoint.toString(),
            setting.precision(),
            setting.kernels(),
            setting.threads(),
            STEP_TOKENS,
            LONGEST_PROMPT,
            OverLength.ERROR,
            SpecialTokenText.LITERAL,
            BatchingBench.task(config, batch));
    return BatchingBench.run(options, config.vocabSize(), batch);
  }
}
