package io.sirocco.bench;

import io.sirocco.kernel.Matrix;
import io.sirocco.model.Continuation;
import io.sirocco.model.KvCache;
import io.sirocco.sampling.TokenChoice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Writing: n new tokens of each of B rows that all are d tokens long, chosen greedily. Measured
 * against the roofline: a step cannot take less than reading the weights and the keys and values
 * once at the machine's read bandwidth, nor less than its arithmetic at the bare product's rate.
 */
public final class DecodeBench {
  private static final int WARM_UP_STEPS = 4;
  private static final int CHUNK = 512;

  private final BenchModel model;
  private final MachinePeaks peaks;

  public DecodeBench(BenchModel model, MachinePeaks peaks) {
    this.model = model;
    this.peaks = peaks;
  }

  /**
   * Sizes of a test.
   *
   * @param newTokens that are measured, of each row
   * @param depth tokens of each row before them
   * @param batch rows
   */
  public record Size(int newTokens, int depth, int batch) {
    String label() {
      return "tg" + newTokens + "@d" + depth;
    }
  }

  /** Measures; the peak is the roofline's. */
  public BenchResult write(Size size, int repetitions) {
    Repetitions seconds = new Repetitions(repetitions);
    Repetitions products = new Repetitions(repetitions);
    Repetitions bandwidths = new Repetitions(repetitions);
    Repetitions fractions = new Repetitions(repetitions);
    long weights = model.layerWeights() + model.headWeights();
    long weightBytes = model.layerBytes() + model.headBytes();
    double flop = 2.0 * weights * size.batch();
    double bytes =
        weightBytes
            + (double) model.kvBytes() * size.batch() * (size.depth() + size.newTokens() / 2.0);
    try (KvCache prompt = prompt(size)) {
      for (int i = 0; i < repetitions; i++) {
        double productBefore = peaks.flops();
        double readBefore = peaks.bytesPerSecond();
        double step = secondsPerStep(size, prompt);
        double product = (productBefore + peaks.flops()) / 2;
        double read = (readBefore + peaks.bytesPerSecond()) / 2;
        seconds.add(step);
        products.add(product);
        bandwidths.add(read);
        fractions.add(Math.max(flop / product, bytes / read) / step);
      }
    }
    double median = seconds.median();
    return new BenchResult(
        size.label(),
        model.geometry(),
        model.config().numHiddenLayers(),
        model.precision(),
        model.kernels().description(),
        size.batch(),
        size.batch() / median,
        flop / median * 1e-9,
        bytes / median * 1e-9,
        products.median() * 1e-9,
        bandwidths.median() * 1e-9,
        fractions.median(),
        seconds.count(),
        seconds.spread());
  }

  private double secondsPerStep(Size size, KvCache prompt) {
    List<KvCache> caches = new ArrayList<>();
    try {
      for (int row = 0; row < size.batch(); row++) {
        caches.add(prompt.copy());
      }
      int[] tokens = model.randomIds(size.batch(), size.batch());
      for (int step = 0; step < WARM_UP_STEPS; step++) {
        tokens = step(caches, tokens);
      }
      long start = System.nanoTime();
      for (int step = 0; step < size.newTokens(); step++) {
        tokens = step(caches, tokens);
      }
      return (System.nanoTime() - start) * 1e-9 / size.newTokens();
    } finally {
      caches.forEach(KvCache::close);
    }
  }

  /** The tokens before the measured ones: the same in every row, so computed once and copied. */
  private KvCache prompt(Size size) {
    int most = size.depth() + WARM_UP_STEPS + size.newTokens();
    KvCache cache =
        KvCache.allocate(model.config(), model.kernels().precision(), most, model.allocator());
    int[] ids = model.randomIds(size.depth(), 0);
    for (int from = 0; from < size.depth(); from += CHUNK) {
      int[] some = Arrays.copyOfRange(ids, from, Math.min(size.depth(), from + CHUNK));
      model.decoder().step(List.of(Continuation.of(cache, some)));
    }
    return cache;
  }

  private int[] step(List<KvCache> caches, int[] tokens) {
    List<Continuation> next = new ArrayList<>();
    for (int row = 0; row < tokens.length; row++) {
      next.add(Continuation.of(caches.get(row), tokens[row]));
    }
    Matrix residual = model.decoder().step(next);
    List<Integer> all = IntStream.range(0, tokens.length).boxed().toList();
    float[][] logits = model.head().logits(residual, all, model.allocator());
    int[] chosen = new int[tokens.length];
    for (int row = 0; row < chosen.length; row++) {
      chosen[row] = TokenChoice.greedy(logits[row]);
    }
    return chosen;
  }
}
