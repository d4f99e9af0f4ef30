package io.sirocco.bench;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;

/** A test's repetitions, each of them between two looks at the machine's peaks. */
public final class Measurement {
  private final Setting setting;
  private final MachinePeaks peaks;
  private final Optional<ProfiledKernels> profiled;
  private final Repetitions seconds = new Repetitions();
  private final Repetitions products = new Repetitions();
  private final Repetitions bandwidths = new Repetitions();
  private final Repetitions fractions = new Repetitions();
  private List<Cost> phases = List.of();

  /**
   * What is measured on.
   *
   * @param geometry name of the model
   * @param precision of the activations, as results call it
   * @param kernels for people
   */
  public record Setting(String geometry, int layers, String precision, String kernels) {}

  /**
   * A line of results without its rates.
   *
   * @param tokens of one repetition
   */
  public record Label(String test, int batch, double tokens) {}

  /** Without {@code profiled} kernels there is no profile. */
  public Measurement(Setting setting, MachinePeaks peaks, Optional<ProfiledKernels> profiled) {
    this.setting = setting;
    this.peaks = peaks;
    this.profiled = profiled;
  }

  /**
   * Does the work {@code repetitions} times.
   *
   * @param work gives the seconds that it took by its own clock
   * @param costs of its parts, which come one after the other
   */
  public void repeat(int repetitions, List<Cost> costs, Callable<Double> work) throws Exception {
    this.phases = List.copyOf(costs);
    for (int i = 0; i < repetitions; i++) {
      MachinePeaks.Rates before = peaks.measure();
      profiled.ifPresent(ProfiledKernels::record);
      double elapsed = work.call();
      profiled.ifPresent(kernels -> kernels.pause(elapsed));
      add(elapsed, before.mean(peaks.measure()));
    }
  }

  private void add(double elapsed, MachinePeaks.Rates rates) {
    seconds.add(elapsed);
    products.add(rates.flops());
    bandwidths.add(rates.bytesPerSecond());
    fractions.add(phases.stream().mapToDouble(cost -> cost.seconds(rates)).sum() / elapsed);
  }

  /** Of the repetitions so far; seconds. */
  public double medianSeconds() {
    return seconds.median();
  }

  /** {@code details} are fields that only this test has. */
  public BenchResult result(Label label, Map<String, Double> details) {
    double median = seconds.median();
    return new BenchResult(
        label.test(),
        setting.geometry(),
        setting.layers(),
        setting.precision(),
        setting.kernels(),
        label.batch(),
        label.tokens() / median,
        phases.stream().mapToDouble(Cost::flop).sum() / median * 1e-9,
        phases.stream().mapToDouble(Cost::bytes).sum() / median * 1e-9,
        products.median() * 1e-9,
        bandwidths.median() * 1e-9,
        fractions.median(),
        seconds.count(),
        seconds.spread(),
        details);
  }

  /** By operation, over all repetitions; empty without profiled kernels. */
  public Optional<Profile> profile(Label label) {
    return profiled.map(
        kernels ->
            Profile.of(
                label.test() + " " + setting.precision(), kernels.take(), products.median()));
  }
}
