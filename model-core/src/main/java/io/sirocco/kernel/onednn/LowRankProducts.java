package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.LowRank;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.NativeMemory;
import io.sirocco.kernel.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.util.MemoryUtil;

/**
 * Products with adapters, in float32. Rows come in pieces whose number of rows is a power of two,
 * so that few shapes occur however many rows an adapter has in a batch: no piece needs slack.
 */
final class LowRankProducts implements AutoCloseable {
  /** Rows of a piece at most: it bounds the scratch that they take in float32. */
  static final int MOST_ROWS = 256;

  /**
   * Inputs that are multiplied at once, at most. From 20,000 inputs on, and with up to 512 rows and
   * outputs, oneDNN shares a float32 product's inputs out among the threads, so that the last bits
   * would depend on their number; slabs are added one after the other, whoever computes them. Of
   * products with a model's own weights none has that shape: a classifier's head has few outputs,
   * but {@code hidden_size} inputs, and {@code down_proj} has {@code hidden_size} outputs, more
   * than 512 where it has so many inputs.
   */
  private static final int MOST_INPUTS = 16_384;

  /** A vector of float32. */
  private static final int SLAB_STEP = 16;

  /** Ranks are filled up with zeros: a product with one column would take another path. */
  private static final int RANK_STEP = 16;

  private final Lane lane;
  private final BufferAllocator allocator;
  private final WorkEstimate work = new WorkEstimate(Precision.FLOAT32);
  private final List<ArrowBuf> matrices = new ArrayList<>();
  private final Scratch wide;
  private final Scratch narrow;
  private final Scratch single;

  LowRankProducts(Lane lane, BufferAllocator allocator) {
    this.lane = lane;
    this.allocator = allocator;
    this.wide = new Scratch(allocator);
    this.narrow = new Scratch(allocator);
    this.single = new Scratch(allocator);
  }

  /**
   * @param rank with the zeros
   * @param a address of {@code A[rank, inputs]}: slabs of inputs, one behind the other
   * @param b address of {@code scaling · B[outputs, rank]}
   */
  private record Prepared(int outputs, int inputs, int rank, long a, long b) implements LowRank {
    /** Inputs of a slab, but for the last: slabs are alike, since short ones take other paths. */
    int slabInputs() {
      int slabs = (inputs + MOST_INPUTS - 1) / MOST_INPUTS;
      int share = (inputs + slabs - 1) / slabs;
      return (share + SLAB_STEP - 1) / SLAB_STEP * SLAB_STEP;
    }

    /** Address of the slab {@code A[:, from:]}, row-major in itself. */
    long slab(int from) {
      return a + (long) rank * from * Float.BYTES;
    }
  }

  /** Rows that come in pieces, the number of rows of each being a power of two. */
  @FunctionalInterface
  interface Piece {
    void compute(int from, int count);
  }

  static void inPieces(int rows, Piece piece) {
    int count;
    for (int from = 0; from < rows; from += count) {
      count = Math.min(MOST_ROWS, Integer.highestOneBit(rows - from));
      piece.compute(from, count);
    }
  }

  /** {@code b} is multiplied by {@code scaling} and rounded to float32 once, here. */
  LowRank prepare(Tensor a, Tensor b, float scaling) {
    int rank = (a.rows() + RANK_STEP - 1) / RANK_STEP * RANK_STEP;
    long bytesOfA = (long) rank * a.columns() * Float.BYTES;
    long bytes = bytesOfA + (long) b.rows() * rank * Float.BYTES;
    ArrowBuf memory = NativeMemory.allocate(allocator, bytes);
    matrices.add(memory);
    memory.setZero(0, bytes);
    long atB = memory.memoryAddress() + bytesOfA;
    Prepared prepared = new Prepared(b.rows(), a.columns(), rank, memory.memoryAddress(), atB);
    copySlabs(a, prepared);
    Matrix copyOfB = new Matrix(atB, ElementType.F32, b.rows(), rank, 0);
    float[] row = new float[rank];
    for (int n = 0; n < b.rows(); n++) {
      b.readRow(n, row);
      for (int r = 0; r < b.columns(); r++) {
        row[r] *= scaling;
      }
      copyOfB.writeRow(n, row);
    }
    return prepared;
  }

  private static void copySlabs(Tensor a, Prepared prepared) {
    float[] row = new float[a.columns()];
    for (int r = 0; r < a.rows(); r++) {
      a.readRow(r, row);
      for (int from = 0; from < row.length; from += prepared.slabInputs()) {
        int to = Math.min(row.length, from + prepared.slabInputs());
        new Matrix(prepared.slab(from), ElementType.F32, prepared.rank(), to - from, 0)
            .writeRow(r, Arrays.copyOfRange(row, from, to));
      }
    }
  }

  /** Adds the product of {@code x} to {@code out}, which is F32; neither needs slack. */
  void add(Matrix x, LowRank branch, Matrix out) {
    if (!(branch instanceof Prepared prepared)) {
      throw new IllegalArgumentException("an adapter of other kernels: " + branch);
    }
    inPieces(
        x.rows(),
        (from, count) -> addPiece(x.slice(from, count), prepared, out.slice(from, count)));
  }

  /** A single row is computed as two, the second for nobody: see {@link WorkEstimate#LEAST}. */
  private void addPiece(Matrix x, Prepared branch, Matrix out) {
    int rows = Math.max(2, x.rows());
    boolean inPlace = x.type() == ElementType.F32 && x.rows() == rows;
    long input = inPlace ? x.address() : widened(x, rows);
    long between = narrow.address((long) rows * branch.rank() * Float.BYTES);
    int inputs = branch.inputs();
    for (int from = 0; from < inputs; from += branch.slabInputs()) {
      int count = Math.min(branch.slabInputs(), inputs - from);
      Products.Shape first = shape(rows, new Inputs(count, inputs), branch.rank(), from > 0);
      multiply(first, input + (long) from * Float.BYTES, branch.slab(from), between);
    }
    boolean adds = true;
    Inputs ranks = new Inputs(branch.rank(), branch.rank());
    Products.Shape second = shape(rows, ranks, branch.outputs(), adds);
    if (x.rows() == rows) {
      multiply(second, between, branch.b(), out.address());
    } else {
      long apart = single.address(rows * out.rowBytes());
      MemoryUtil.copyMemory(out.address(), apart, out.rowBytes());
      multiply(second, between, branch.b(), apart);
      MemoryUtil.copyMemory(apart, out.address(), out.rowBytes());
    }
  }

  private long widened(Matrix x, int rows) {
    long target = wide.address((long) rows * x.columns() * Float.BYTES);
    convert(x, new Matrix(target, ElementType.F32, x.rows(), x.columns(), 0));
    return target;
  }

  /**
   * Copies {@code x} into a matrix of another type, or of the same. Of many rows take {@link
   * #inPieces}, for few shapes.
   */
  void convert(Matrix x, Matrix out) {
    if (x.type() == out.type()) {
      x.copyRows(0, x.rows(), out, 0);
      return;
    }
    Conversions.Shape shape =
        new Conversions.Shape(x.type(), out.type(), (long) x.rows() * x.columns());
    double seconds = work.ofPass(shape.elements() * 6);
    lane.execute(
        lane.call(shape, seconds, cpu -> Conversions.call(cpu, shape))
            .bind(DNNL_ARG_SRC, x.address())
            .bind(DNNL_ARG_DST, out.address()));
  }

  /** So many inputs of rows that are {@code stride} elements apart. */
  private record Inputs(int count, int stride) {}

  private static Products.Shape shape(int m, Inputs inputs, int n, boolean addsToOut) {
    return new Products.Shape(
        m,
        inputs.count(),
        n,
        inputs.stride(),
        n,
        ElementType.F32,
        ElementType.F32,
        Optional.empty(),
        ElementType.F32,
        addsToOut,
        Optional.empty());
  }

  private void multiply(Products.Shape shape, long x, long weight, long out) {
    double seconds = work.ofProduct(shape.m(), shape.k(), shape.n(), ElementType.F32);
    lane.execute(
        lane.call(shape, seconds, cpu -> Products.call(cpu, shape))
            .bind(DNNL_ARG_SRC, x)
            .bind(DNNL_ARG_WEIGHTS, weight)
            .bind(DNNL_ARG_DST, out));
  }

  @Override
  public void close() {
    wide.close();
    narrow.close();
    single.close();
    matrices.forEach(ArrowBuf::close);
    matrices.clear();
  }
}
