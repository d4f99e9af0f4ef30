package io.sirocco.bench;

import io.sirocco.kernel.Matrix;
import io.sirocco.model.Continuation;
import io.sirocco.model.KvCache;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.sampling.TokenChoice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Writing: new tokens of B rows, chosen greedily. Measured against the roofline: a step cannot take
 * less than reading the weights and the keys and values once at the machine's read bandwidth, nor
 * less than its arithmetic at the bare product's rate.
 */
public final class DecodeBench {
  private static final int WARM_UP_STEPS = 4;

  /** Tokens of one pass that reads prompts. */
  private static final int PASS = 2048;

  private final BenchModel model;
  private final LanguageModelHead head;

  public DecodeBench(BenchModel model) {
    this.model = model;
    this.head = model.head();
  }

  /** Measures new tokens of {@code batch} rows that all are as long as the test says. */
  public BenchResult write(
      BenchTest.Writing test, int batch, Measurement measurement, int repetitions)
      throws Exception {
    double length = test.depth() + test.newTokens() / 2.0;
    Cost cost = model.steps(test.newTokens(), batch, length);
    int most = test.depth() + WARM_UP_STEPS + test.newTokens();
    try (KvCache prompt = prompt(model.randomIds(test.depth(), 0), most)) {
      measurement.repeat(
          repetitions,
          List.of(cost),
          () -> {
            List<KvCache> caches = new ArrayList<>();
            try {
              copies(prompt, batch, caches);
              int[] tokens = steps(WARM_UP_STEPS, caches, model.randomIds(batch, batch));
              long start = System.nanoTime();
              steps(test.newTokens(), caches, tokens);
              return since(start);
            } finally {
              caches.forEach(KvCache::close);
            }
          });
    }
    return measurement.result(label(test, batch), Map.of());
  }

  /** How results call it. */
  public static Measurement.Label label(BenchTest.Writing test, int batch) {
    return new Measurement.Label(test.label(), batch, (double) test.newTokens() * batch);
  }

  /**
   * Measures prompts and then new tokens of {@code batch} rows, as llama-batched-bench does; tokens
   * are those of prompts, each as often as it is computed, and the new ones.
   */
  public BenchResult serve(
      BenchTest.Serving test, int batch, Measurement measurement, int repetitions)
      throws Exception {
    int prompts = test.prompts() == BenchTest.Prompts.SHARED ? 1 : batch;
    double read = (double) prompts * test.promptTokens();
    double written = (double) batch * test.newTokens();
    double length = test.promptTokens() + test.newTokens() / 2.0;
    List<Cost> costs =
        List.of(
            model.prefill(prompts, test.promptTokens()),
            model.steps(test.newTokens(), batch, length));
    Repetitions reading = new Repetitions();
    Repetitions writing = new Repetitions();
    serveOnce(test, batch, new Repetitions(), new Repetitions());
    measurement.repeat(repetitions, costs, () -> serveOnce(test, batch, reading, writing));
    Map<String, Double> details = new LinkedHashMap<>();
    details.put("prompt_tokens_per_second", read / reading.median());
    details.put("new_tokens_per_second", written / writing.median());
    return measurement.result(label(test, batch), details);
  }

  /** How results call it. */
  public static Measurement.Label label(BenchTest.Serving test, int batch) {
    int prompts = test.prompts() == BenchTest.Prompts.SHARED ? 1 : batch;
    double tokens = (double) prompts * test.promptTokens() + (double) batch * test.newTokens();
    return new Measurement.Label(test.label(), batch, tokens);
  }

  private double serveOnce(
      BenchTest.Serving test, int batch, Repetitions reading, Repetitions writing) {
    List<KvCache> caches = new ArrayList<>();
    int most = test.promptTokens() + test.newTokens();
    try {
      long start = System.nanoTime();
      int own = test.prompts() == BenchTest.Prompts.SHARED ? 1 : batch;
      List<int[]> prompts = new ArrayList<>();
      for (int row = 0; row < own; row++) {
        caches.add(cache(most));
        prompts.add(model.randomIds(test.promptTokens(), row));
      }
      read(caches, prompts);
      copies(caches.get(0), batch - own, caches);
      double read = since(start);
      start = System.nanoTime();
      steps(test.newTokens(), caches, model.randomIds(batch, batch));
      double written = since(start);
      reading.add(read);
      writing.add(written);
      return read + written;
    } finally {
      caches.forEach(KvCache::close);
    }
  }

  private static void copies(KvCache prompt, int count, List<KvCache> into) {
    for (int row = 0; row < count; row++) {
      into.add(prompt.copy());
    }
  }

  private KvCache prompt(int[] ids, int most) {
    KvCache cache = cache(most);
    read(List.of(cache), List.of(ids));
    return cache;
  }

  private KvCache cache(int most) {
    return KvCache.allocate(model.config(), model.kernels().precision(), most, model.allocator());
  }

  /** Fills caches with prompts of one length: pieces of them, as many rows at once as have room. */
  private void read(List<KvCache> caches, List<int[]> prompts) {
    int length = prompts.get(0).length;
    int rows = Math.max(1, PASS / Math.max(1, length));
    for (int first = 0; first < caches.size(); first += rows) {
      for (int from = 0; from < length; from += PASS) {
        List<Continuation> pieces = new ArrayList<>();
        for (int row = first; row < Math.min(caches.size(), first + rows); row++) {
          int[] some = Arrays.copyOfRange(prompts.get(row), from, Math.min(length, from + PASS));
          pieces.add(Continuation.of(caches.get(row), some));
        }
        model.decoder().step(pieces);
      }
    }
  }

  private int[] steps(int count, List<KvCache> caches, int[] tokens) {
    int[] last = tokens;
    for (int step = 0; step < count; step++) {
      last = step(caches, last);
    }
    return last;
  }

  private int[] step(List<KvCache> caches, int[] tokens) {
    List<Continuation> next = new ArrayList<>();
    for (int row = 0; row < tokens.length; row++) {
      next.add(Continuation.of(caches.get(row), tokens[row]));
    }
    Matrix residual = model.decoder().step(next);
    List<Integer> all = IntStream.range(0, tokens.length).boxed().toList();
    float[][] logits = head.logits(residual, all, model.allocator());
    int[] chosen = new int[tokens.length];
    for (int row = 0; row < chosen.length; row++) {
      chosen[row] = TokenChoice.greedy(logits[row]);
    }
    return chosen;
  }

  private static double since(long start) {
    return (System.nanoTime() - start) * 1e-9;
  }
}
