package io.sirocco.kernel;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * {@link Kernels} in plain Java: the oracle, and the fallback where oneDNN does not load. Sums run
 * in double, in the order of the inputs, one thread each; so every result is correct to half a unit
 * in the last place or so, and the same however many threads there are.
 */
public final class JavaKernels implements Kernels {
  private final Precision precision;
  private final int threads;
  private final ExecutorService pool;

  /** {@code threads}: those that share the outputs of a product among them. */
  public JavaKernels(Precision precision, int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads: " + threads);
    }
    this.precision = precision;
    this.threads = threads;
    this.pool =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, "sirocco-kernel");
              thread.setDaemon(true);
              return thread;
            });
  }

  private record TensorWeight(Tensor tensor, WeightUse use) implements Weight {
    @Override
    public int outputs() {
      return tensor.rows();
    }

    @Override
    public int inputs() {
      return tensor.columns();
    }

    @Override
    public long copiedBytes() {
      return 0;
    }
  }

  /** What becomes of {@code product}, the sum for output n of row m. */
  @FunctionalInterface
  private interface Epilogue {
    float apply(int m, int n, double product);
  }

  @Override
  public String description() {
    return "plain Java, " + threads + (threads == 1 ? " thread" : " threads");
  }

  @Override
  public Precision precision() {
    return precision;
  }

  @Override
  public Weight weight(Tensor tensor, WeightUse use) {
    return new TensorWeight(tensor, use);
  }

  @Override
  public void linear(Matrix x, Weight weight, Matrix out) {
    Operands.requireLinear(precision, x, weight, out);
    product(x, weight, out, (m, n, product) -> (float) product);
  }

  @Override
  public void linearAdd(Matrix x, Weight weight, Matrix residual) {
    Operands.requireLinearAdd(precision, x, weight, residual);
    float[][] before = read(residual);
    product(x, weight, residual, (m, n, product) -> (float) (before[m][n] + product));
  }

  @Override
  public void gatedLinear(
      Matrix x, Weight gate, Weight up, Activation act, Matrix scratch, Matrix out) {
    Operands.requireGatedLinear(precision, x, gate, up, scratch, out);
    linear(x, up, scratch);
    float[][] factors = read(scratch);
    product(
        x,
        gate,
        out,
        (m, n, product) -> (float) (ActivationFunctions.apply(act, product) * factors[m][n]));
  }

  @Override
  public LowRank lowRank(Tensor a, Tensor b, float scaling) {
    return JavaLowRank.of(a, b, scaling);
  }

  @Override
  public void addLowRank(Matrix x, LowRank branch, Matrix out) {
    Operands.requireLowRank(precision, x, branch, out);
    if (!(branch instanceof JavaLowRank mine)) {
      throw new IllegalArgumentException("an adapter of other kernels: " + branch);
    }
    float[][] inputs = read(x);
    float[][] outputs = read(out);
    inParallel(inputs.length, m -> mine.add(inputs[m], outputs[m]));
    for (int m = 0; m < outputs.length; m++) {
      out.writeRow(m, outputs[m]);
    }
  }

  @Override
  public void activate(Matrix gate, Matrix up, Activation act, Matrix out) {
    Operands.requireElementwise(precision, gate, up, out);
    float[] row = new float[gate.columns()];
    float[] factors = new float[gate.columns()];
    for (int m = 0; m < gate.rows(); m++) {
      gate.readRow(m, row);
      up.readRow(m, factors);
      for (int n = 0; n < row.length; n++) {
        row[n] = (float) (ActivationFunctions.apply(act, row[n]) * factors[n]);
      }
      out.writeRow(m, row);
    }
  }

  @Override
  public void round(Matrix x, Matrix out) {
    Operands.requireElementwise(precision, x, x, out);
    float[] row = new float[x.columns()];
    for (int m = 0; m < x.rows(); m++) {
      x.readRow(m, row);
      out.writeRow(m, row);
    }
  }

  @Override
  public void rmsNorm(Matrix x, float[] weight, float eps, Matrix out) {
    Operands.requireRmsNorm(precision, x, weight, out);
    float[] row = new float[x.columns()];
    for (int m = 0; m < x.rows(); m++) {
      x.readRow(m, row);
      double squares = 0;
      for (float value : row) {
        squares += (double) value * value;
      }
      float scale = (float) (1 / Math.sqrt(squares / row.length + eps));
      for (int k = 0; k < row.length; k++) {
        row[k] = row[k] * scale * weight[k];
      }
      out.writeRow(m, row);
    }
  }

  @Override
  public void rotate(Matrix x, float[][] cos, float[][] sin, Matrix out) {
    Rotation.rotate(x, cos, sin, out);
  }

  @Override
  public void attend(AttentionBlock block) {
    Operands.requireAttend(precision, block);
    float[][] queries = read(block.queries());
    float[][] keys = read(block.keys());
    float[][] values = read(block.values());
    float[][] mask = read(block.mask());
    float[][] out = new float[queries.length][block.out().columns()];
    inParallel(
        block.heads(),
        head -> {
          for (int q = 0; q < queries.length; q++) {
            attend(block, head, queries[q], keys, values, mask[q], out[q]);
          }
        });
    for (int q = 0; q < out.length; q++) {
      block.out().writeRow(q, out[q]);
    }
  }

  @Override
  public void close() {
    pool.shutdown();
  }

  private void attend(
      AttentionBlock block,
      int head,
      float[] query,
      float[][] keys,
      float[][] values,
      float[] mask,
      float[] out) {
    int headDim = block.headDim();
    int queryAt = head * headDim;
    int keyAt = head / (block.heads() / block.kvHeads()) * headDim;
    float[] scores = new float[keys.length];
    float max = Float.NEGATIVE_INFINITY;
    for (int slot = 0; slot < keys.length; slot++) {
      double score = 0;
      for (int i = 0; i < headDim; i++) {
        score += (double) query[queryAt + i] * keys[slot][keyAt + i];
      }
      // The mask's -max saturates here, so that a row without visible slots stays finite.
      scores[slot] = (float) (score * block.scale()) + mask[slot];
      max = Math.max(max, scores[slot]);
    }
    double sum = 0;
    double[] exponentials = new double[keys.length];
    for (int slot = 0; slot < keys.length; slot++) {
      exponentials[slot] = Math.exp((double) scores[slot] - max);
      sum += exponentials[slot];
    }
    double[] results = new double[headDim];
    for (int slot = 0; slot < keys.length; slot++) {
      float probability = rounded((float) (exponentials[slot] / sum));
      for (int i = 0; i < headDim; i++) {
        results[i] += (double) probability * values[slot][keyAt + i];
      }
    }
    for (int i = 0; i < headDim; i++) {
      out[queryAt + i] = (float) results[i];
    }
  }

  private void product(Matrix x, Weight weight, Matrix out, Epilogue epilogue) {
    if (!(weight instanceof TensorWeight prepared)) {
      throw new IllegalArgumentException("a weight of other kernels: " + weight);
    }
    boolean quantizes = precision == Precision.INT8 && prepared.use() == WeightUse.LAYER;
    float[][] inputs = read(x);
    float[] scales = new float[inputs.length];
    for (int m = 0; quantizes && m < inputs.length; m++) {
      scales[m] = quantize(inputs[m]);
    }
    float[][] outputs = new float[x.rows()][out.columns()];
    int share = (weight.outputs() + threads - 1) / threads;
    inParallel(
        threads,
        thread -> {
          float[] weights = new float[weight.inputs()];
          int end = Math.min(weight.outputs(), (thread + 1) * share);
          for (int n = thread * share; n < end; n++) {
            readWeights(prepared.tensor(), n, weights);
            float scale = quantizes ? quantize(weights) : 1;
            for (int m = 0; m < inputs.length; m++) {
              double sum = dot(inputs[m], weights);
              double product = quantizes ? sum * scale * scales[m] : sum;
              outputs[m][n] = epilogue.apply(m, n, product);
            }
          }
        });
    for (int m = 0; m < outputs.length; m++) {
      out.writeRow(m, outputs[m]);
    }
  }

  /** Replaces values by their quantised ones; returns the scale. */
  private static float quantize(float[] values) {
    float scale = Int8.scale(values);
    byte[] quantized = new byte[values.length];
    Int8.quantize(values, scale, quantized);
    for (int i = 0; i < values.length; i++) {
      values[i] = quantized[i];
    }
    return scale;
  }

  static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int k = 0; k < b.length; k++) {
      sum += (double) a[k] * b[k];
    }
    return sum;
  }

  /** In bfloat16, weights stored otherwise count as rounded to it. */
  private void readWeights(Tensor tensor, int row, float[] weights) {
    tensor.readRow(row, weights);
    if (tensor.type() != ElementType.BF16 && precision == Precision.BFLOAT16) {
      for (int k = 0; k < weights.length; k++) {
        weights[k] = rounded(weights[k]);
      }
    }
  }

  private float rounded(float value) {
    return precision != Precision.FLOAT32 ? BFloat16.toFloat(BFloat16.fromFloat(value)) : value;
  }

  private static float[][] read(Matrix matrix) {
    float[][] rows = new float[matrix.rows()][matrix.columns()];
    for (int row = 0; row < rows.length; row++) {
      matrix.readRow(row, rows[row]);
    }
    return rows;
  }

  @FunctionalInterface
  private interface Part {
    void run(int part);
  }

  private void inParallel(int parts, Part work) {
    if (threads == 1 || parts == 1) {
      for (int part = 0; part < parts; part++) {
        work.run(part);
      }
      return;
    }
    List<Future<?>> running = new ArrayList<>();
    for (int part = 0; part < parts; part++) {
      int mine = part;
      running.add(pool.submit(() -> work.run(mine)));
    }
    for (Future<?> part : running) {
      await(part);
    }
  }

  private static void await(Future<?> part) {
    try {
      part.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error; // Such as InternalError, where a mapped file has become shorter.
      }
      throw new IllegalStateException("a part of an operation failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted within an operation", e);
    }
  }
}
