package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_0;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Activation;
import io.sirocco.kernel.AttentionBlock;
import io.sirocco.kernel.Int8;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.LowRank;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Operands;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.Weight;
import io.sirocco.kernel.WeightUse;
import io.sirocco.prepared.PreparedMemory;
import io.sirocco.prepared.PreparedWeights;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/**
 * {@link Kernels} whose layers multiply in int8: weights with a scale for each output, activations
 * with one for each token, exact sums in int32. Everything else, heads included, is as in bfloat16.
 */
public final class Int8Kernels implements Kernels {
  private final OneDnnKernels others;
  private final Lane lane;
  private final WorkEstimate work = new WorkEstimate(Precision.INT8);
  private final Int8WeightStore weights;
  private final Optional<PreparedMemory> ownWeights;
  private final Scratch quantized;
  private final Scratch columns;
  private final Scratch product;

  private Int8Kernels(
      OneDnnKernels others,
      Int8WeightStore weights,
      Optional<PreparedMemory> ownWeights,
      BufferAllocator allocator) {
    this.others = others;
    this.lane = others.lane();
    this.weights = weights;
    this.ownWeights = ownWeights;
    this.quantized = new Scratch(allocator);
    this.columns = new Scratch(allocator);
    this.product = new Scratch(allocator);
  }

  /**
   * As {@link OneDnnKernels#open}.
   *
   * @param prepared where the int8 weights are kept, and stays the caller's; empty: in this
   *     process's own memory
   */
  public static Int8Kernels open(
      int threads, BufferAllocator allocator, Optional<PreparedWeights> prepared)
      throws OneDnnUnavailableException {
    OneDnn library = OneDnn.library();
    library.require(Precision.INT8);
    Optional<PreparedMemory> own =
        prepared.isPresent() ? Optional.empty() : Optional.of(new PreparedMemory(allocator));
    PreparedWeights weights = prepared.orElseGet(own::orElseThrow);
    OneDnnKernels others = OneDnnKernels.open(Precision.BFLOAT16, threads, allocator, prepared);
    return new Int8Kernels(
        others, new Int8WeightStore(library, others.team(), allocator, weights), own, allocator);
  }

  /**
   * A matrix in int8: its rows one after the other, and the factor of each, as addresses.
   *
   * @param multiplied rows that products compute: {@code rows}, and what lies behind them
   */
  private record Rows(int rows, int multiplied, int columns, long values, long scales) {}

  @Override
  public String description() {
    return others.description() + ", int8";
  }

  @Override
  public Precision precision() {
    return Precision.INT8;
  }

  @Override
  public Weight weight(Tensor tensor, WeightUse use) {
    return use == WeightUse.LAYER ? weights.weight(tensor) : others.weight(tensor, use);
  }

  @Override
  public void linear(Matrix x, Weight weight, Matrix out) {
    if (weight instanceof Int8Weight) {
      linearEach(x, List.of(weight), List.of(out));
    } else {
      others.linear(x, weight, out);
    }
  }

  @Override
  public void linearEach(Matrix x, List<Weight> layer, List<Matrix> outs) {
    Matrix tightest = x;
    for (int i = 0; i < outs.size(); i++) {
      Operands.requireLinear(precision(), x, layer.get(i), outs.get(i));
      tightest = outs.get(i).slack() < tightest.slack() ? outs.get(i) : tightest;
    }
    if (x.rows() == 0) {
      return;
    }
    int widest = layer.stream().mapToInt(Weight::outputs).max().orElse(1);
    Rows rows = quantize(x, tightest, widest);
    for (int i = 0; i < outs.size(); i++) {
      linear(rows, mine(layer.get(i)), outs.get(i));
    }
  }

  private void linear(Rows x, Int8Weight weight, Matrix out) {
    boolean rounds = out.type() == ElementType.BF16;
    long target = rounds ? productAddress(x, weight) : out.address();
    multiply(x, weight, target);
    scale(x, target, weight.outputs(), target, false);
    if (rounds) {
      Conversions.Shape shape =
          new Conversions.Shape(
              ElementType.F32, ElementType.BF16, (long) x.rows() * weight.outputs());
      lane.execute(
          lane.call(shape, pass(x.rows(), weight.outputs(), 6), cpu -> Conversions.call(cpu, shape))
              .bind(DNNL_ARG_SRC, target)
              .bind(DNNL_ARG_DST, out.address()));
    }
  }

  @Override
  public void linearAdd(Matrix x, Weight weight, Matrix residual) {
    Operands.requireLinearAdd(precision(), x, weight, residual);
    if (x.rows() == 0) {
      return;
    }
    Int8Weight prepared = mine(weight);
    Rows rows = quantize(x, residual, weight.outputs());
    long target = productAddress(rows, prepared);
    multiply(rows, prepared, target);
    scale(rows, target, weight.outputs(), residual.address(), true);
  }

  @Override
  public void gatedLinear(
      Matrix x, Weight gate, Weight up, Activation act, Matrix scratch, Matrix out) {
    Operands.requireGatedLinear(precision(), x, gate, up, scratch, out);
    if (x.rows() == 0) {
      return;
    }
    Rows rows = quantize(x, scratch.slack() < out.slack() ? scratch : out, gate.outputs());
    multiply(rows, mine(up), scratch.address());
    // A third operand within the gate's pass would take oneDNN to its reference code.
    scale(rows, scratch.address(), up.outputs(), scratch.address(), false);
    multiply(rows, mine(gate), out.address());
    Int8Calls.Gate shape = new Int8Calls.Gate(rows.rows(), gate.outputs(), act);
    lane.execute(
        lane.call(shape, pass(rows.rows(), gate.outputs(), 12), cpu -> Int8Calls.gate(cpu, shape))
            .bind(DNNL_ARG_SRC_0, out.address())
            .bind(DNNL_ARG_SRC_1, rows.scales())
            .bind(Int8Calls.ARG_UP, scratch.address())
            .bind(DNNL_ARG_DST, out.address()));
  }

  /** Rows are rounded up to a known shape as far as {@code x} and {@code out} have slack. */
  private Rows quantize(Matrix x, Matrix out, int outputs) {
    int k = x.columns();
    double product = work.ofInt8Product(x.rows(), k, outputs);
    int m = work.roundedRows(x, out, product, WorkEstimate.LEAST);
    int multiplied = work.roundedRows(x, out, product, WorkEstimate.ONE_GO);
    long values = quantized.address((long) multiplied * k);
    long largest = columns.address(4L * m * Float.BYTES);
    long least = largest + (long) m * Float.BYTES;
    long scales = least + (long) m * Float.BYTES;
    long inverses = scales + (long) m * Float.BYTES;
    double seconds = pass(m, k, x.type().bytes());
    extreme(new Int8Calls.Extreme(true, x.type(), m, k), x, largest, seconds);
    extreme(new Int8Calls.Extreme(false, x.type(), m, k), x, least, seconds);
    scales(m, largest, least, scales, inverses);
    Int8Calls.Quantization shape = new Int8Calls.Quantization(x.type(), m, k);
    lane.execute(
        lane.call(shape, seconds, cpu -> Int8Calls.quantization(cpu, shape))
            .bind(DNNL_ARG_SRC_0, x.address())
            .bind(DNNL_ARG_SRC_1, inverses)
            .bind(DNNL_ARG_DST, values));
    return new Rows(m, multiplied, k, values, scales);
  }

  private void extreme(Int8Calls.Extreme shape, Matrix x, long out, double seconds) {
    lane.execute(
        lane.call(shape, seconds, cpu -> Int8Calls.extreme(cpu, shape))
            .bind(DNNL_ARG_SRC, x.address())
            .bind(DNNL_ARG_DST, out));
  }

  private static void scales(int m, long largest, long least, long scales, long inverses) {
    float[] high = new float[m];
    float[] low = new float[m];
    column(largest, m).readRow(0, high);
    column(least, m).readRow(0, low);
    for (int row = 0; row < m; row++) {
      high[row] = Math.max(high[row], -low[row]) / Int8.LARGEST;
      low[row] = Int8.inverse(high[row]);
    }
    column(scales, m).writeRow(0, high);
    column(inverses, m).writeRow(0, low);
  }

  private static Matrix column(long address, int rows) {
    return new Matrix(address, ElementType.F32, 1, rows, 0);
  }

  /** The product without the activations' scales. */
  private void multiply(Rows x, Int8Weight weight, long out) {
    Int8Calls.Product shape =
        new Int8Calls.Product(x.multiplied(), x.columns(), weight.outputs(), weight.layout());
    double seconds = work.ofInt8Product(x.multiplied(), x.columns(), weight.outputs());
    lane.execute(
        lane.call(shape, seconds, cpu -> Int8Calls.product(cpu, shape))
            .bind(DNNL_ARG_SRC, x.values())
            .bind(DNNL_ARG_WEIGHTS, weight.address())
            .bind(Int8Calls.ARG_WEIGHT_SCALES, weight.scales())
            .bind(DNNL_ARG_DST, out));
  }

  private void scale(Rows x, long from, int n, long out, boolean adds) {
    Int8Calls.Scaling shape = new Int8Calls.Scaling(x.rows(), n, adds);
    lane.execute(
        lane.call(shape, pass(x.rows(), n, 12), cpu -> Int8Calls.scaling(cpu, shape))
            .bind(DNNL_ARG_SRC_0, from)
            .bind(DNNL_ARG_SRC_1, x.scales())
            .bind(DNNL_ARG_DST, out));
  }

  private long productAddress(Rows x, Int8Weight weight) {
    return product.address((long) x.multiplied() * weight.outputs() * Float.BYTES);
  }

  private double pass(int rows, int columns, int bytesOfElement) {
    return work.ofPass((long) rows * columns * bytesOfElement);
  }

  @Override
  public LowRank lowRank(Tensor a, Tensor b, float scaling) {
    return others.lowRank(a, b, scaling);
  }

  @Override
  public void addLowRank(Matrix x, LowRank branch, Matrix out) {
    others.addLowRank(x, branch, out);
  }

  @Override
  public void activate(Matrix gate, Matrix up, Activation act, Matrix out) {
    others.activate(gate, up, act, out);
  }

  @Override
  public void round(Matrix x, Matrix out) {
    others.round(x, out);
  }

  @Override
  public void rmsNorm(Matrix x, float[] weight, float eps, Matrix out) {
    others.rmsNorm(x, weight, eps, out);
  }

  @Override
  public void rotate(Matrix x, float[][] cos, float[][] sin, Matrix out) {
    others.rotate(x, cos, sin, out);
  }

  @Override
  public void attend(AttentionBlock block) {
    others.attend(block);
  }

  @Override
  public void attendEach(List<AttentionBlock> blocks) {
    others.attendEach(blocks);
  }

  @Override
  public void close() {
    quantized.close();
    columns.close();
    product.close();
    others.close();
    ownWeights.ifPresent(PreparedMemory::close);
  }

  private static Int8Weight mine(Weight weight) {
    if (!(weight instanceof Int8Weight prepared)) {
      throw new IllegalArgumentException("a weight of other kernels: " + weight);
    }
    return prepared;
  }
}
