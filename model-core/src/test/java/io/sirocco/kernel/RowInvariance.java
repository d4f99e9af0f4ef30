package io.sirocco.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.checkpoint.ElementType;
import java.util.Arrays;
import java.util.Random;

/** Computes a row alone and among others, with one thread and several, and compares the bits. */
final class RowInvariance {
  private static final int[] THREADS = {1, 2, 4};

  private final Opener opener;
  private final Precision precision;
  private final long seed;
  private long rowsCompared;

  /** Opens kernels with so many threads. */
  @FunctionalInterface
  interface Opener {
    KernelsFixture open(Precision precision, int threads);
  }

  /** An operation on the rows of x; {@code more} is a second operand for those that have one. */
  @FunctionalInterface
  private interface Operation {
    float[][] on(KernelsFixture fixture, float[][] x, float[][] more);
  }

  RowInvariance(Opener opener, Precision precision, long seed) {
    this.opener = opener;
    this.precision = precision;
    this.seed = seed;
  }

  long rowsCompared() {
    return rowsCompared;
  }

  void check(int[] rows, int k, int n) {
    check(rows, Integer.MAX_VALUE, k, n);
  }

  /** Every operation at up to {@code mostRows} rows, with K inputs and N outputs. */
  void check(int[] rows, int mostRows, int k, int n) {
    int[] counts = Arrays.stream(rows).filter(count -> count <= mostRows).toArray();
    Random random = new Random(seed);
    float[][] weights = KernelsFixture.random(random, n, k);
    float[] norm = weights[0];
    for (ElementType stored : ElementType.values()) {
      check("linear by " + stored, counts, k, n, linear(stored, weights));
    }
    check("linearAdd", counts, k, n, linearAdd(weights));
    // Kernels may compute few rows with what lies behind them, if that belongs to nobody.
    int[] few = {1, 2, 3, 4, 5, 6, 7};
    check("linear before others", few, k, n, linearBeforeOthers(weights));
    check("linearAdd before others", few, k, n, linearAddBeforeOthers(weights));
    check("gatedLinear", counts, k, n, gatedLinear(weights));
    check("rmsNorm", counts, k, 1, (fixture, x, more) -> normed(fixture, x, norm));
    check("rotate", counts, k, k, RowInvariance::rotated);
    for (int slots : new int[] {64, 192}) {
      check("attend " + slots, counts, 4 * 24, slots, attend(slots));
    }
  }

  private static Operation linear(ElementType stored, float[][] weights) {
    return (fixture, x, more) -> {
      Matrix out = fixture.empty(fixture.type(), x.length, weights.length);
      Matrix in = fixture.matrix(fixture.type(), x);
      fixture.kernels.linear(in, fixture.weight(stored, weights), out);
      return KernelsFixture.read(out);
    };
  }

  private static Operation linearAdd(float[][] weights) {
    return (fixture, x, more) -> {
      Matrix residual = fixture.matrix(ElementType.F32, more);
      fixture.kernels.linearAdd(
          fixture.matrix(fixture.type(), x), fixture.weight(ElementType.BF16, weights), residual);
      return KernelsFixture.read(residual);
    };
  }

  /** The rows are followed by one that is not to be touched; a single one is not. */
  private static Operation linearBeforeOthers(float[][] weights) {
    return (fixture, x, more) -> {
      int others = x.length == 1 ? 0 : 1;
      Matrix in = fixture.matrix(fixture.type(), Arrays.copyOf(followed(x), x.length + others));
      Matrix out = fixture.matrix(fixture.type(), Arrays.copyOf(followed(more), in.rows()));
      Weight weight = fixture.weight(ElementType.BF16, weights);
      fixture.kernels.linear(in.slice(0, x.length), weight, out.slice(0, x.length));
      return read(out, x.length);
    };
  }

  private static Operation linearAddBeforeOthers(float[][] weights) {
    return (fixture, x, more) -> {
      int others = x.length == 1 ? 0 : 1;
      Matrix in = fixture.matrix(fixture.type(), Arrays.copyOf(followed(x), x.length + others));
      Matrix out = fixture.matrix(ElementType.F32, Arrays.copyOf(followed(more), in.rows()));
      Weight weight = fixture.weight(ElementType.BF16, weights);
      fixture.kernels.linearAdd(in.slice(0, x.length), weight, out.slice(0, x.length));
      return read(out, x.length);
    };
  }

  /** With a row of ones behind. */
  private static float[][] followed(float[][] rows) {
    float[][] all = Arrays.copyOf(rows, rows.length + 1);
    all[rows.length] = new float[rows[0].length];
    Arrays.fill(all[rows.length], 1);
    return all;
  }

  /** The first rows; what follows them must be as {@link #followed} has it. */
  private static float[][] read(Matrix out, int rows) {
    for (int row = rows; row < out.rows(); row++) {
      assertThat(KernelsFixture.readRow(out, row)).as("what follows %d rows", rows).containsOnly(1);
    }
    return KernelsFixture.read(out.first(rows));
  }

  private static Operation gatedLinear(float[][] weights) {
    return (fixture, x, more) -> {
      ElementType within = fixture.kernels.precision().feedForward();
      Matrix out = fixture.empty(within, x.length, weights.length);
      Weight weight = fixture.weight(ElementType.BF16, weights);
      fixture.kernels.gatedLinear(
          fixture.matrix(fixture.type(), x),
          weight,
          weight,
          Activation.SILU,
          fixture.empty(within, x.length, weights.length),
          out);
      return KernelsFixture.read(out);
    };
  }

  private static float[][] normed(KernelsFixture fixture, float[][] x, float[] weight) {
    Matrix out = fixture.empty(fixture.type(), x.length, weight.length);
    fixture.kernels.rmsNorm(fixture.matrix(ElementType.F32, x), weight, 1e-5f, out);
    return KernelsFixture.read(out);
  }

  private static float[][] rotated(KernelsFixture fixture, float[][] x, float[][] more) {
    float[][] cos = new float[x.length][];
    for (int row = 0; row < x.length; row++) {
      cos[row] = Arrays.copyOf(more[row], x[0].length / 2);
    }
    Matrix out = fixture.empty(fixture.type(), x.length, x[0].length);
    fixture.kernels.rotate(fixture.matrix(ElementType.F32, x), cos, cos, out);
    return KernelsFixture.read(out);
  }

  /** Four heads of 24 over two key-value heads; about half of the slots are hidden. */
  private Operation attend(int slots) {
    float[][] keys = KernelsFixture.random(new Random(seed + slots), slots, 2 * 24);
    return (fixture, x, more) -> {
      float[][] mask = new float[x.length][slots];
      for (int q = 0; q < x.length; q++) {
        for (int slot = 1; slot < slots; slot++) {
          mask[q][slot] = more[q][slot] < 0 ? -Float.MAX_VALUE : 0f;
        }
      }
      Matrix seen = fixture.matrix(fixture.type(), keys);
      Matrix out = fixture.empty(fixture.type(), x.length, 4 * 24);
      fixture.kernels.attend(
          new AttentionBlock(
              fixture.matrix(fixture.type(), x),
              seen,
              seen,
              fixture.matrix(ElementType.F32, mask),
              4,
              2,
              0.2f,
              out));
      return KernelsFixture.read(out);
    };
  }

  private void check(String what, int[] counts, int k, int moreColumns, Operation operation) {
    Random random = new Random(seed);
    float[][] probe = KernelsFixture.random(random, 1, k);
    float[][] probeMore = KernelsFixture.random(random, 1, moreColumns);
    float[] alone = {};
    for (int threads : THREADS) {
      for (int count : counts) {
        float[][] x = KernelsFixture.random(random, count, k);
        float[][] more = KernelsFixture.random(random, count, moreColumns);
        int[] places = {0, count / 2, count - 1};
        for (int place : places) {
          x[place] = probe[0];
          more[place] = probeMore[0];
        }
        float[][] out;
        try (KernelsFixture fixture = opener.open(precision, threads)) {
          out = operation.on(fixture, x, more);
        }
        alone = alone.length == 0 ? out[0] : alone;
        for (int place : places) {
          assertThat(out[place])
              .as(
                  "%s, row %d of %d, K %d, %d threads, seed %d",
                  what, place, count, k, threads, seed)
              .isEqualTo(alone);
          rowsCompared++;
        }
      }
    }
  }
}
