package io.sirocco.spark.bench;

import io.sirocco.bench.BatchingBench;
import io.sirocco.bench.BenchModel;
import io.sirocco.bench.BenchTest;
import io.sirocco.bench.DecodeBench;
import io.sirocco.bench.MachinePeaks;
import io.sirocco.bench.Measurement;
import io.sirocco.bench.PrefillBench;
import io.sirocco.bench.ProfiledKernels;
import io.sirocco.engine.KernelSetup;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Precision;
import io.sirocco.model.MistralConfig;
import io.sirocco.prepared.PreparedFolder;
import io.sirocco.prepared.PreparedWeights;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/** Runs a benchmark's tests on one checkpoint, in one precision after the other. */
public final class BenchRun {
  private final BenchCheckpoint checkpoint;
  private final Profiling profiling;
  private final BenchReport report;
  private final Consumer<String> progress;

  /** Whether operations are timed one by one. */
  public enum Profiling {
    ON,
    OFF;

    /** Kernels that note what they do, around the others; none where that is not asked for. */
    Optional<ProfiledKernels> around(Kernels kernels) {
      return this == ON ? Optional.of(new ProfiledKernels(kernels)) : Optional.empty();
    }
  }

  /** {@code progress} is told what is done, for people. */
  public BenchRun(
      BenchCheckpoint checkpoint,
      Profiling profiling,
      BenchReport report,
      Consumer<String> progress) {
    this.checkpoint = checkpoint;
    this.profiling = profiling;
    this.report = report;
    this.progress = progress;
  }

  /** Runs the tests in one precision; results go to the report as they come. */
  public void run(List<BenchTest> tests, BenchSetting setting) throws Exception {
    boolean int8 =
        KernelSetup.of(setting.kernels(), setting.precision()).precision() == Precision.INT8;
    decoder(ofKind(tests, test -> test instanceof BenchTest.Prompt), setting, int8);
    // As in jobs, texts are written with packed weights.
    decoder(
        ofKind(
            tests, test -> test instanceof BenchTest.Writing || test instanceof BenchTest.Serving),
        setting,
        true);
    boolean classify = tests.contains(new BenchTest.Classify());
    boolean job = tests.contains(new BenchTest.Job());
    if (classify || job) {
      BenchRows rows = new BenchRows(checkpoint, setting, profiling, report, progress);
      if (classify) {
        rows.classify();
      }
      if (job) {
        rows.job();
      }
    }
    if (tests.contains(new BenchTest.Batching())) {
      for (int batch : setting.sizes().batches()) {
        batching(setting, batch);
        progress.accept("batching of " + batch + " rows done");
      }
    }
  }

  private static List<BenchTest> ofKind(List<BenchTest> tests, Predicate<BenchTest> kind) {
    return tests.stream().filter(kind).toList();
  }

  private void decoder(List<BenchTest> tests, BenchSetting setting, boolean prepares)
      throws Exception {
    if (tests.isEmpty()) {
      return;
    }
    KernelSetup setup = KernelSetup.of(setting.kernels(), setting.precision());
    Optional<PreparedWeights> prepared =
        prepares
            ? Optional.of(PreparedFolder.open(checkpoint.prepared(), "bench"))
            : Optional.empty();
    try (BufferAllocator allocator = new RootAllocator();
        Kernels kernels = setup.open(setting.threads(), allocator, prepared)) {
      Optional<ProfiledKernels> profiled = profiling.around(kernels);
      Kernels used = profiled.isPresent() ? profiled.get() : kernels;
      try (BenchModel model =
              BenchModel.open(checkpoint.folder(), checkpoint.label(), used, allocator);
          MachinePeaks peaks =
              new MachinePeaks(model.weights(), kernels, allocator, setting.threads())) {
        for (BenchTest test : tests) {
          if (test instanceof BenchTest.Prompt prompt) {
            measured(prompt, model, measurement(model, peaks, profiled), setting);
          } else {
            for (int batch : setting.sizes().batches()) {
              measured(test, batch, model, measurement(model, peaks, profiled), setting);
            }
          }
        }
      }
    } finally {
      prepared.ifPresent(PreparedWeights::close);
    }
  }

  private static Measurement measurement(
      BenchModel model, MachinePeaks peaks, Optional<ProfiledKernels> profiled) {
    return new Measurement(model.setting(), peaks, profiled);
  }

  private void measured(
      BenchTest.Prompt test, BenchModel model, Measurement measurement, BenchSetting setting)
      throws Exception {
    report.add(new PrefillBench(model).prompt(test, measurement, setting.sizes().repetitions()));
    done(measurement, PrefillBench.label(test));
  }

  private void measured(
      BenchTest test, int batch, BenchModel model, Measurement measurement, BenchSetting setting)
      throws Exception {
    int repetitions = setting.sizes().repetitions();
    DecodeBench bench = new DecodeBench(model);
    if (test instanceof BenchTest.Writing writing) {
      report.add(bench.write(writing, batch, measurement, repetitions));
      done(measurement, DecodeBench.label(writing, batch));
    } else if (test instanceof BenchTest.Serving serving) {
      report.add(bench.serve(serving, batch, measurement, repetitions));
      done(measurement, DecodeBench.label(serving, batch));
    }
  }

  private void done(Measurement measurement, Measurement.Label label) {
    measurement.profile(label).ifPresent(report::add);
    progress.accept(label.test() + " of " + label.batch() + " rows done");
  }

  private void batching(BenchSetting setting, int batch) throws InterruptedException {
    MistralConfig config = BatchingBench.config(checkpoint.folder());
    report.add(
        BatchingBench.run(
            setting.engine(checkpoint, BatchingBench.task(config, batch)),
            config.vocabSize(),
            batch));
  }
}
