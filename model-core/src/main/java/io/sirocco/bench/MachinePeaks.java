package io.sirocco.bench;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Weight;
import io.sirocco.kernel.Workspace;
import io.sirocco.model.MistralWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.arrow.memory.BufferAllocator;

/**
 * What the machine can do at its best, at this moment: shared machines change their speed within
 * seconds, so each test is measured between two looks at the peaks.
 */
public final class MachinePeaks implements AutoCloseable {
  private static final int TOKENS = 512;
  private static final int READ_LONGS = 32 << 20;
  private static final int REPETITIONS = 3;

  private final Kernels kernels;
  private final Workspace workspace;
  private final Matrix input;
  private final Matrix output;
  private final List<Weight> weights;
  private final int threads;
  private final ExecutorService readers;
  private final long[][] memory;

  /**
   * Rates of one moment.
   *
   * @param flops operations a second of the bare product
   * @param bytesPerSecond of the loop that reads memory
   */
  public record Rates(double flops, double bytesPerSecond) {
    Rates mean(Rates other) {
      return new Rates((flops + other.flops) / 2, (bytesPerSecond + other.bytesPerSecond) / 2);
    }
  }

  /**
   * Prepares the weights of the products; kernels and allocator stay the caller's.
   *
   * @param threads that read memory at the same time; products take the kernels' own
   */
  public MachinePeaks(
      MistralWeights model, Kernels kernels, BufferAllocator allocator, int threads) {
    this.kernels = kernels;
    this.workspace = new Workspace(allocator);
    ElementType type = kernels.precision().activation();
    this.input = workspace.matrix(type, TOKENS, model.config().hiddenSize());
    this.output = workspace.matrix(type, TOKENS, model.config().intermediateSize());
    fill(input);
    this.weights = model.layers().stream().map(layer -> kernels.weight(layer.upProj())).toList();
    this.threads = threads;
    this.readers = Executors.newFixedThreadPool(threads);
    this.memory = new long[threads][READ_LONGS / threads];
  }

  /** Both rates at this moment; the machine should do nothing else. */
  public Rates measure() {
    return new Rates(flops(), bytesPerSecond());
  }

  /** Operations a second of the bare product [512, D] x [D, F], on each layer's weights in turn. */
  private double flops() {
    double flop = 2.0 * TOKENS * input.columns() * output.columns();
    double best = 0;
    for (int i = 0; i < REPETITIONS; i++) {
      long start = System.nanoTime();
      for (Weight weight : weights) {
        kernels.linear(input, weight, output);
      }
      best = Math.max(best, flop * weights.size() / ((System.nanoTime() - start) * 1e-9));
    }
    return best;
  }

  /** Bytes a second of a loop that reads 256 MiB and adds it up, in all threads. */
  private double bytesPerSecond() {
    double best = 0;
    for (int i = 0; i < REPETITIONS; i++) {
      long start = System.nanoTime();
      List<Future<Long>> sums = new ArrayList<>();
      for (long[] part : memory) {
        sums.add(readers.submit(() -> sum(part)));
      }
      for (Future<Long> sum : sums) {
        await(sum);
      }
      long bytes = (long) READ_LONGS / threads * threads * Long.BYTES;
      best = Math.max(best, bytes / ((System.nanoTime() - start) * 1e-9));
    }
    return best;
  }

  /** In four places at a time, which is faster than to read on in one. */
  private static long sum(long[] values) {
    int part = values.length / 4;
    long first = 0;
    long second = 0;
    long third = 0;
    long fourth = 0;
    for (int i = 0; i < part; i++) {
      first += values[i];
      second += values[i + part];
      third += values[i + 2 * part];
      fourth += values[i + 3 * part];
    }
    return first + second + third + fourth;
  }

  private static void await(Future<Long> sum) {
    try {
      sum.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while measuring", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("cannot read memory", e.getCause());
    }
  }

  /** Values between -1 and 1. */
  static void fill(Matrix matrix) {
    SplittableRandom random = new SplittableRandom(1);
    float[] row = new float[matrix.columns()];
    for (int i = 0; i < matrix.rows(); i++) {
      for (int column = 0; column < row.length; column++) {
        row[column] = (float) random.nextDouble(-1, 1);
      }
      matrix.writeRow(i, row);
    }
  }

  @Override
  public void close() {
    readers.shutdown();
    workspace.close();
  }
}
