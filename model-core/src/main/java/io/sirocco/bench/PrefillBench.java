package io.sirocco.bench;

import io.sirocco.model.TokenRow;
import java.util.List;

/** Prompt processing: one row of n tokens through all layers. */
public final class PrefillBench {
  private static final int WARM_UP = 1;

  private final BenchModel model;
  private final MachinePeaks peaks;

  public PrefillBench(BenchModel model, MachinePeaks peaks) {
    this.model = model;
    this.peaks = peaks;
  }

  /** Measures a prompt of {@code tokens} tokens; the peak is that of the bare product. */
  public BenchResult prompt(int tokens, int repetitions) {
    TokenRow row = TokenRow.of(model.randomIds(tokens, tokens));
    Repetitions seconds = new Repetitions(repetitions);
    Repetitions products = new Repetitions(repetitions);
    Repetitions fractions = new Repetitions(repetitions);
    double flop = 2.0 * model.layerWeights() * tokens;
    for (int i = -WARM_UP; i < repetitions; i++) {
      double before = peaks.flops();
      long start = System.nanoTime();
      model.decoder().forward(List.of(row));
      double elapsed = (System.nanoTime() - start) * 1e-9;
      double peak = (before + peaks.flops()) / 2;
      if (i >= 0) {
        seconds.add(elapsed);
        products.add(peak);
        fractions.add(flop / elapsed / peak);
      }
    }
    double median = seconds.median();
    return new BenchResult(
        "pp" + tokens,
        model.geometry(),
        model.config().numHiddenLayers(),
        model.precision(),
        model.kernels().description(),
        1,
        tokens / median,
        flop / median * 1e-9,
        model.layerBytes() / median * 1e-9,
        products.median() * 1e-9,
        0,
        fractions.median(),
        seconds.count(),
        seconds.spread());
  }
}
