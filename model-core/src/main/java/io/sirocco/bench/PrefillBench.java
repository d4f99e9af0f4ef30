package io.sirocco.bench;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Weight;
import io.sirocco.kernel.Workspace;
import io.sirocco.model.Decoder;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.MistralModel;
import io.sirocco.model.MistralWeights;
import io.sirocco.model.TokenRow;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Prompt processing: one row of n tokens through all layers. Each repetition is measured next to a
 * repetition of the bare product, because shared machines change their speed within seconds: the
 * fraction is what counts.
 */
public final class PrefillBench implements AutoCloseable {
  private static final int WARM_UP = 1;
  private static final int PEAK_TOKENS = 512;

  private final String geometry;
  private final MistralConfig config;
  private final MistralModel model;
  private final Kernels kernels;
  private final Decoder decoder;
  private final Workspace workspace;
  private final Matrix peakInput;
  private final Matrix peakOutput;
  private final List<Weight> peakWeights;
  private final long linearWeights;
  private final long linearBytes;

  /**
   * Opens a checkpoint.
   *
   * @param kernels stay the caller's, as the allocator does
   */
  public PrefillBench(
      Path checkpoint, String geometry, Kernels kernels, BufferAllocator allocator) {
    this.geometry = geometry;
    Checkpoint files = Checkpoint.open(checkpoint);
    this.config = MistralConfig.parse(files.config(), checkpoint.toString());
    MistralWeights weights = MistralWeights.of(files, config);
    this.kernels = kernels;
    this.model = MistralModel.of(config, weights, kernels);
    this.decoder = new Decoder(model, allocator);
    this.workspace = new Workspace(allocator);
    ElementType type = kernels.precision().activation();
    this.peakInput = workspace.matrix(type, PEAK_TOKENS, config.hiddenSize());
    this.peakOutput = workspace.matrix(type, PEAK_TOKENS, config.intermediateSize());
    fill(peakInput);
    this.peakWeights =
        weights.layers().stream().map(layer -> kernels.weight(layer.upProj())).toList();
    this.linearWeights = weights.linearWeights().stream().mapToLong(PrefillBench::elements).sum();
    this.linearBytes =
        weights.linearWeights().stream()
            .mapToLong(weight -> elements(weight) * weight.type().bytes())
            .sum();
  }

  /** Measures a prompt of {@code tokens} tokens. */
  public BenchResult prompt(int tokens, int repetitions) {
    TokenRow row = randomRow(tokens);
    double[] seconds = new double[repetitions];
    double[] peaks = new double[repetitions];
    double[] fractions = new double[repetitions];
    double flop = 2.0 * linearWeights * tokens;
    for (int i = -WARM_UP; i < repetitions; i++) {
      double peakBefore = peakFlops();
      long start = System.nanoTime();
      decoder.forward(List.of(row));
      double elapsed = (System.nanoTime() - start) * 1e-9;
      double peak = (peakBefore + peakFlops()) / 2;
      if (i >= 0) {
        seconds[i] = elapsed;
        peaks[i] = peak;
        fractions[i] = flop / elapsed / peak;
      }
    }
    double median = median(seconds);
    return new BenchResult(
        "pp" + tokens,
        geometry,
        config.numHiddenLayers(),
        kernels.precision().name().toLowerCase(Locale.ROOT),
        kernels.description(),
        1,
        tokens / median,
        flop / median * 1e-9,
        linearBytes / median * 1e-9,
        median(peaks) * 1e-9,
        median(fractions),
        repetitions,
        (max(seconds) - min(seconds)) / median);
  }

  /** Operations a second of the bare product, on each layer's weights in turn, best of three. */
  private double peakFlops() {
    double flop = 2.0 * PEAK_TOKENS * config.hiddenSize() * config.intermediateSize();
    double best = 0;
    for (int i = 0; i < 3; i++) {
      long start = System.nanoTime();
      for (Weight weight : peakWeights) {
        kernels.linear(peakInput, weight, peakOutput);
      }
      best = Math.max(best, flop * peakWeights.size() / ((System.nanoTime() - start) * 1e-9));
    }
    return best;
  }

  private TokenRow randomRow(int tokens) {
    SplittableRandom random = new SplittableRandom(tokens);
    return TokenRow.of(random.ints(tokens, 0, config.vocabSize()).toArray());
  }

  private static void fill(Matrix matrix) {
    SplittableRandom random = new SplittableRandom(1);
    float[] row = new float[matrix.columns()];
    for (int i = 0; i < matrix.rows(); i++) {
      for (int column = 0; column < row.length; column++) {
        row[column] = (float) random.nextDouble(-1, 1);
      }
      matrix.writeRow(i, row);
    }
  }

  private static long elements(Tensor tensor) {
    return (long) tensor.rows() * tensor.columns();
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  private static double max(double[] values) {
    return Arrays.stream(values).max().orElseThrow();
  }

  private static double min(double[] values) {
    return Arrays.stream(values).min().orElseThrow();
  }

  @Override
  public void close() {
    workspace.close();
    decoder.close();
  }
}
