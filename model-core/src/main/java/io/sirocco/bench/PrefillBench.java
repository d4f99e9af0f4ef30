package io.sirocco.bench;

import io.sirocco.model.TokenRow;
import java.util.List;
import java.util.Map;

/** Prompt processing: one row of n tokens through all layers. */
public final class PrefillBench {
  private final BenchModel model;

  public PrefillBench(BenchModel model) {
    this.model = model;
  }

  /** Measures a prompt, after one pass that does not count. */
  public BenchResult prompt(BenchTest.Prompt test, Measurement measurement, int repetitions)
      throws Exception {
    TokenRow row = TokenRow.of(model.randomIds(test.tokens(), test.tokens()));
    seconds(row);
    measurement.repeat(repetitions, List.of(model.prefill(1, test.tokens())), () -> seconds(row));
    return measurement.result(label(test), Map.of());
  }

  /** How results call it. */
  public static Measurement.Label label(BenchTest.Prompt test) {
    return new Measurement.Label("pp" + test.tokens(), 1, test.tokens());
  }

  private double seconds(TokenRow row) {
    long start = System.nanoTime();
    model.decoder().forward(List.of(row));
    return (System.nanoTime() - start) * 1e-9;
  }
}
