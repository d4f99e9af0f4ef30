package io.sirocco.spark.bench;

import io.sirocco.bench.BenchModel;
import io.sirocco.bench.BenchResult;
import io.sirocco.bench.ClassifyBench;
import io.sirocco.bench.Cost;
import io.sirocco.bench.MachinePeaks;
import io.sirocco.bench.Measurement;
import io.sirocco.bench.ProfiledKernels;
import io.sirocco.bench.SkewedRows;
import io.sirocco.engine.Engine;
import io.sirocco.engine.KernelSetup;
import io.sirocco.engine.Task;
import io.sirocco.kernel.Kernels;
import io.sirocco.model.MistralWeights;
import io.sirocco.spark.run.RunFacts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/**
 * The tests {@code classify} and {@code job}: the same rows of skewed lengths, by the engine alone
 * and by a whole Spark job around it. Peaks are measured by kernels of their own, while the engine
 * has nothing to do.
 */
final class BenchRows {
  private final BenchCheckpoint checkpoint;
  private final BenchSetting setting;
  private final BenchRun.Profiling profiling;
  private final BenchReport report;
  private final Consumer<String> progress;
  private final SkewedRows rows;
  private final MistralWeights weights;
  private Optional<BenchResult> classified = Optional.empty();

  BenchRows(
      BenchCheckpoint checkpoint,
      BenchSetting setting,
      BenchRun.Profiling profiling,
      BenchReport report,
      Consumer<String> progress) {
    this.checkpoint = checkpoint;
    this.setting = setting;
    this.profiling = profiling;
    this.report = report;
    this.progress = progress;
    this.rows = SkewedRows.of(checkpoint.folder(), setting.sizes().rows());
    this.weights = BenchModel.weights(checkpoint.folder());
  }

  /** What is done between opening the peaks' kernels and closing them. */
  private interface Work {
    void run(MachinePeaks peaks, Measurement.Setting on) throws Exception;
  }

  private void beside(Work work) throws Exception {
    KernelSetup setup = KernelSetup.of(setting.kernels(), setting.precision());
    try (BufferAllocator allocator = new RootAllocator();
        Kernels kernels = setup.open(setting.threads(), allocator);
        MachinePeaks peaks = new MachinePeaks(weights, kernels, allocator, setting.threads())) {
      work.run(peaks, BenchModel.setting(checkpoint.label(), weights.config(), kernels));
    }
  }

  /** The engine alone. */
  void classify() throws Exception {
    beside(
        (peaks, on) -> {
          AtomicReference<Optional<ProfiledKernels>> profiled =
              new AtomicReference<>(Optional.empty());
          try (Engine engine =
              Engine.open(
                  setting.engine(checkpoint, new Task.Classify()),
                  kernels -> {
                    profiled.set(profiling.around(kernels));
                    return profiled.get().map(Kernels.class::cast).orElse(kernels);
                  })) {
            Measurement measurement = new Measurement(on, peaks, profiled.get());
            ClassifyBench bench = new ClassifyBench(engine, rows);
            BenchResult result =
                bench.classify(
                    BenchModel.layers(weights, rows.rowLengths()),
                    measurement,
                    setting.sizes().repetitions());
            classified = Optional.of(result);
            report.add(result);
            measurement.profile(bench.label(result.batch())).ifPresent(report::add);
            progress.accept("classify of " + rows.ids().size() + " rows done");
          }
        });
  }

  /** A whole Spark job, for each number of copies. */
  void job() throws Exception {
    BenchJob job = new BenchJob(checkpoint.folder(), setting, rows, progress);
    for (int copies : setting.sizes().copies()) {
      beside((peaks, on) -> job(job, copies, new Measurement(on, peaks, Optional.empty())));
      progress.accept("job of " + (long) copies * rows.texts().size() + " rows done");
    }
  }

  private void job(BenchJob job, int copies, Measurement measurement) throws Exception {
    job.prepare(copies);
    Cost once = BenchModel.layers(weights, rows.rowLengths());
    Cost cost = new Cost(once.flop() * copies, once.bytes());
    measurement.repeat(setting.sizes().repetitions(), List.of(cost), job::seconds);
    Map<String, Double> details = new LinkedHashMap<>();
    double count = (double) copies * rows.texts().size();
    double tokens = (double) copies * rows.tokens();
    double computing = job.medianSeconds(RunFacts.COMPUTE);
    details.put("rows", count);
    details.put("tokens", tokens);
    details.put("rows_per_second", count / measurement.medianSeconds());
    details.put("compute_tokens_per_second", tokens / computing);
    classified.ifPresent(
        alone -> {
          details.put("compute_of_classify", tokens / computing / alone.tokensPerSecond());
          details.put(
              "job_of_classify", tokens / measurement.medianSeconds() / alone.tokensPerSecond());
        });
    for (String stage : job.stages()) {
      details.put("seconds_" + stage, job.medianSeconds(stage));
    }
    int batch = classified.map(BenchResult::batch).orElse(0);
    report.add(measurement.result(new Measurement.Label("job", batch, tokens), details));
  }
}
