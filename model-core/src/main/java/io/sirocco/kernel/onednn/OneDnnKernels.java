package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Activation;
import io.sirocco.kernel.AttentionBlock;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.LowRank;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Operands;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.Rotation;
import io.sirocco.kernel.Weight;
import io.sirocco.kernel.WeightUse;
import io.sirocco.prepared.PreparedWeights;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/**
 * {@link Kernels} on oneDNN. Weights are multiplied where they are mapped.
 *
 * <p>A product of one row takes another path in oneDNN than a product of two or more, with other
 * last bits; so a single row is computed with others behind it, which are slack.
 */
public final class OneDnnKernels implements Kernels {
  /** Elements below which waking other threads takes longer than rotating them. */
  private static final long ROTATED_ALONE = 1 << 17;

  /**
   * Rows that a product computes at a time: what it writes, and what a product before it has left,
   * is then in the last-level cache, and oneDNN divides all of it in the way that is fastest for
   * 512 rows. All 2,048 of a large batch at once take 4 % longer.
   */
  private static final int PIECE = 512;

  private final OneDnn library;
  private final Precision precision;
  private final OpenMpTeam team;
  private final WorkEstimate work;
  private final Lane lane;
  private final WeightStore weights;
  private final Crew crew;
  private final SharedAttention attention;
  private final NormWeights normWeights;
  private final LowRankProducts adapters;
  private final ActivatedProduct activated;

  private OneDnnKernels(
      OneDnn library,
      Precision precision,
      int threads,
      BufferAllocator allocator,
      Optional<PreparedWeights> prepared) {
    this.library = library;
    this.precision = precision;
    this.team = OpenMpTeam.of(threads);
    this.work = new WorkEstimate(precision);
    this.lane = new Lane(library, team, allocator);
    this.weights = new WeightStore(library, team, precision, allocator, prepared);
    this.crew = new Crew(team.soloists());
    this.attention = SharedAttention.of(library, crew, team, lane, precision, allocator);
    this.normWeights = new NormWeights(allocator);
    this.adapters = new LowRankProducts(lane, allocator);
    this.activated = new ActivatedProduct(lane, allocator);
  }

  /**
   * Kernels that compute with {@code threads} threads, or as many as OMP_NUM_THREADS says if the
   * user has set it. The allocator stays the caller's and must outlive them.
   *
   * @param prepared where packed weights are kept, which multiply few rows faster; empty: weights
   *     are multiplied where they are mapped. Stays the caller's. Without effect in float32.
   * @throws OneDnnUnavailableException if the library does not load here, or this processor cannot
   *     compute in that precision
   */
  public static OneDnnKernels open(
      Precision precision,
      int threads,
      BufferAllocator allocator,
      Optional<PreparedWeights> prepared)
      throws OneDnnUnavailableException {
    OneDnn library = OneDnn.library();
    library.require(precision);
    return new OneDnnKernels(library, precision, threads, allocator, prepared);
  }

  /**
   * Checks that {@link #open} would succeed.
   *
   * @throws OneDnnUnavailableException as {@link #open}
   */
  public static void check(Precision precision) throws OneDnnUnavailableException {
    OneDnn.library().require(precision);
  }

  /** What {@link #description} would say; only where {@link #check} succeeds. */
  public static String describe(int threads) {
    try {
      return OneDnn.library().describe() + ", " + OpenMpTeam.of(threads).describe();
    } catch (OneDnnUnavailableException e) {
      return e.getMessage();
    }
  }

  /** What of {@link #describe} can change results: not the threads. */
  public static String arithmetic() {
    try {
      return OneDnn.library().describe();
    } catch (OneDnnUnavailableException e) {
      return e.getMessage();
    }
  }

  /**
   * Names what decides how packed weights lie: the library, and all that it makes use of here;
   * eight hexadecimal digits. Only where {@link #check} succeeds.
   */
  public static String layouts() {
    try {
      return OneDnn.library().layouts();
    } catch (OneDnnUnavailableException e) {
      throw new IllegalStateException("oneDNN was available a moment ago", e);
    }
  }

  /** Whether oneDNN loads here and the processor multiplies bfloat16 itself. */
  public static boolean multipliesBfloat16() {
    try {
      return OneDnn.library().multipliesBfloat16();
    } catch (OneDnnUnavailableException e) {
      return false;
    }
  }

  @Override
  public String description() {
    return library.describe() + ", " + team.describe();
  }

  @Override
  public Precision precision() {
    return precision;
  }

  @Override
  public Weight weight(Tensor tensor, WeightUse use) {
    return use == WeightUse.SCORE ? weights.stored(tensor) : weights.packed(tensor);
  }

  @Override
  public void linear(Matrix x, Weight weight, Matrix out) {
    Operands.requireLinear(precision, x, weight, out);
    OneDnnWeight prepared = mine(weight);
    prepared.slabs().forEach(slab -> products(x, prepared, slab, out, false));
  }

  @Override
  public void linearAdd(Matrix x, Weight weight, Matrix residual) {
    Operands.requireLinearAdd(precision, x, weight, residual);
    OneDnnWeight prepared = mine(weight);
    products(x, prepared, prepared.whole(), residual, true);
  }

  private void products(
      Matrix x, OneDnnWeight weight, OneDnnWeight.Slab slab, Matrix out, boolean addsToOut) {
    long column = (long) slab.firstRow() * out.type().bytes();
    inPieces(
        x.rows(),
        (from, count) -> {
          Matrix some = x.slice(from, count);
          Matrix result = out.slice(from, count);
          Products.Shape shape = shape(some, weight, slab, result, addsToOut, Optional.empty());
          product(shape, some, slab, result.address() + column);
        });
  }

  @Override
  public void gatedLinear(
      Matrix x, Weight gate, Weight up, Activation act, Matrix scratch, Matrix out) {
    Operands.requireGatedLinear(precision, x, gate, up, scratch, out);
    inPieces(
        x.rows(),
        (from, count) ->
            gatedPiece(
                x.slice(from, count), gate, up, act, scratch.first(count), out.slice(from, count)));
  }

  /** The last piece has up to half as many rows more: no product has few. */
  private static void inPieces(int rows, LowRankProducts.Piece work) {
    int from = 0;
    while (from < rows) {
      int left = rows - from;
      int count = left < PIECE + PIECE / 2 ? left : PIECE;
      work.compute(from, count);
      from += count;
    }
  }

  private void gatedPiece(
      Matrix x, Weight gate, Weight up, Activation act, Matrix scratch, Matrix out) {
    linear(x, up, scratch);
    OneDnnWeight prepared = mine(gate);
    OneDnnWeight.Slab slab = prepared.whole();
    Matrix tighter = scratch.slack() < out.slack() ? scratch : out;
    Products.Shape shape = shape(x, prepared, slab, tighter, false, Optional.of(act));
    productCall(shape).bind(Products.ARG_UP, scratch.address());
    product(shape, x, slab, out.address());
  }

  @Override
  public LowRank lowRank(Tensor a, Tensor b, float scaling) {
    return adapters.prepare(a, b, scaling);
  }

  @Override
  public void addLowRank(Matrix x, LowRank branch, Matrix out) {
    Operands.requireLowRank(precision, x, branch, out);
    adapters.add(x, branch, out);
  }

  @Override
  public void activate(Matrix gate, Matrix up, Activation act, Matrix out) {
    Operands.requireElementwise(precision, gate, up, out);
    boolean rounds = out.type() != gate.type();
    LowRankProducts.inPieces(
        gate.rows(),
        (from, count) -> {
          Matrix piece = gate.slice(from, count);
          Matrix result = out.slice(from, count);
          activated.compute(piece, up.slice(from, count), act, rounds ? piece : result);
          if (rounds) {
            adapters.convert(piece, result);
          }
        });
  }

  @Override
  public void round(Matrix x, Matrix out) {
    Operands.requireElementwise(precision, x, x, out);
    LowRankProducts.inPieces(
        x.rows(), (from, count) -> adapters.convert(x.slice(from, count), out.slice(from, count)));
  }

  @Override
  public void rmsNorm(Matrix x, float[] weight, float eps, Matrix out) {
    Operands.requireRmsNorm(precision, x, weight, out);
    if (x.rows() == 0) {
      return;
    }
    int rows = work.roundedRows(x, out, 0, WorkEstimate.LEAST);
    RmsNorm.Shape shape = new RmsNorm.Shape(rows, x.columns(), out.type(), eps);
    double seconds = work.ofPass((long) rows * x.columns() * 6);
    lane.execute(
        lane.call(shape, seconds, cpu -> RmsNorm.call(cpu, shape))
            .bind(DNNL_ARG_SRC, x.address())
            .bind(DNNL_ARG_SCALE, normWeights.address(weight))
            .bind(DNNL_ARG_DST, out.address()));
  }

  @Override
  public void rotate(Matrix x, float[][] cos, float[][] sin, Matrix out) {
    int rows = x.rows();
    if ((long) rows * x.columns() < ROTATED_ALONE || crew.members() == 1) {
      Rotation.rotate(x, cos, sin, out);
      return;
    }
    int share = (rows + crew.members() - 1) / crew.members();
    crew.run(
        (rows + share - 1) / share,
        (piece, member) -> {
          int from = piece * share;
          int count = Math.min(share, rows - from);
          Rotation.rotate(
              x.slice(from, count),
              Arrays.copyOfRange(cos, from, from + count),
              Arrays.copyOfRange(sin, from, from + count),
              out.slice(from, count));
        });
  }

  @Override
  public void attend(AttentionBlock block) {
    attendEach(List.of(block));
  }

  @Override
  public void attendEach(List<AttentionBlock> blocks) {
    blocks.forEach(block -> Operands.requireAttend(precision, block));
    attention.attend(blocks.stream().filter(block -> block.queries().rows() > 0).toList());
  }

  @Override
  public void close() {
    crew.close();
    attention.close();
    lane.close();
    normWeights.close();
    adapters.close();
    activated.close();
    weights.close();
  }

  OpenMpTeam team() {
    return team;
  }

  /** The calling thread's. */
  Lane lane() {
    return lane;
  }

  private void product(Products.Shape shape, Matrix x, OneDnnWeight.Slab slab, long out) {
    lane.execute(
        productCall(shape)
            .bind(DNNL_ARG_SRC, x.address())
            .bind(DNNL_ARG_WEIGHTS, slab.address())
            .bind(DNNL_ARG_DST, out));
  }

  private Call productCall(Products.Shape shape) {
    double seconds = work.ofProduct(shape.m(), shape.k(), shape.n(), shape.weight());
    return lane.call(shape, seconds, cpu -> Products.call(cpu, shape));
  }

  private Products.Shape shape(
      Matrix x,
      OneDnnWeight weight,
      OneDnnWeight.Slab slab,
      Matrix out,
      boolean addsToOut,
      Optional<Activation> gate) {
    double seconds = work.ofProduct(x.rows(), weight.inputs(), slab.rows(), weight.type());
    return new Products.Shape(
        work.roundedRows(
            x,
            out,
            seconds,
            weight.packed().isPresent() ? WorkEstimate.ONE_GO : WorkEstimate.LEAST),
        weight.inputs(),
        slab.rows(),
        x.columns(),
        out.columns(),
        x.type(),
        weight.type(),
        weight.packed(),
        out.type(),
        addsToOut,
        gate);
  }

  private static OneDnnWeight mine(Weight weight) {
    if (!(weight instanceof OneDnnWeight prepared)) {
      throw new IllegalArgumentException("a weight of other kernels: " + weight);
    }
    return prepared;
  }
}
