package io.sirocco.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.SafetensorsFile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What every implementation of {@link Kernels} owes its callers. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class KernelsContract {
  private static final long SEED = 20260711;
  private static final int[] ROWS = {1, 2, 3, 17, 33, 64, 127, 130};
  private static final int[] SIZES = {6, 48, 72, 150, 128, 256, 1000};

  /** Error of an activation in float32, relative to the larger of 1 and its argument. */
  private static final double ACTIVATION_ERROR = 0x1p-21;

  /** Absolute: below it results are subnormal numbers, which processors may flush to zero. */
  private static final double TINY = 0x1p-120;

  private long compared;
  private double worst;

  /** Kernels of this implementation. */
  protected abstract Kernels open(Precision precision, int threads, BufferAllocator allocator);

  /** Those that this machine can compute in. */
  protected abstract Set<Precision> precisions();

  /** The largest number of rows worth the time. */
  protected abstract int mostRows();

  private KernelsFixture fixture(Precision precision, int threads) {
    assumeTrue(
        precisions().contains(precision),
        precision + " is not computed on this processor: skipped");
    return new KernelsFixture(this, precision, threads);
  }

  @AfterAll
  void report() {
    System.out.printf(
        "%s: %d results compared, the worst at %.3f of its tolerance (seed %d)%n",
        getClass().getSimpleName(), compared, worst, SEED);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void linearMatchesDoublePrecisionAtOddSizes(Precision precision) {
    for (int k : SIZES) {
      for (int n : SIZES) {
        for (ElementType stored : ElementType.values()) {
          try (KernelsFixture fixture = fixture(precision, 2)) {
            Product product = new Product(fixture, fixture.type(), stored, k, n);
            for (int rows : ROWS) {
              Matrix out = fixture.empty(fixture.type(), rows, n);
              fixture.kernels.linear(product.x(rows), product.weight, out);
              product.check(out);
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void linearTakesAndGivesBothTypes(Precision precision) {
    for (int i = 0; i < SIZES.length; i++) {
      try (KernelsFixture fixture = fixture(precision, 2)) {
        for (ElementType stored : ElementType.values()) {
          for (ElementType in : EnumSet.of(fixture.type(), ElementType.F32)) {
            Product product =
                new Product(fixture, in, stored, SIZES[i], SIZES[(i + 3) % SIZES.length]);
            for (int rows : ROWS) {
              for (ElementType given : EnumSet.of(fixture.type(), ElementType.F32)) {
                Matrix out = fixture.empty(given, rows, product.n);
                fixture.kernels.linear(product.x(rows), product.weight, out);
                product.check(out);
              }
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void linearJoinsTheSlabsOfHugeWeights(Precision precision) {
    try (KernelsFixture fixture = fixture(precision, 2)) {
      Random random = new Random(SEED);
      float[][] weights = KernelsFixture.random(random, 150, 72);
      float[][] x = KernelsFixture.random(random, 17, 72);
      for (ElementType stored : ElementType.values()) {
        Weight slabs = fixture.kernels.weight(SafetensorsFile.matrix(stored, weights, 64));
        Matrix whole = fixture.empty(ElementType.F32, 17, 150);
        Matrix joined = fixture.empty(ElementType.F32, 17, 150);
        Matrix in = fixture.matrix(fixture.type(), x);
        fixture.kernels.linear(in, fixture.weight(stored, weights), whole);
        fixture.kernels.linear(in, slabs, joined);
        for (Matrix out : List.of(whole, joined)) {
          Reference.Sums want =
              Reference.product(
                  fixture.asQuantized(KernelsFixture.read(in)),
                  fixture.asMultiplied(stored, weights));
          check(Precision.FLOAT32, out, want, 72, "slabs of " + stored);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void linearAddAddsToTheResidual(Precision precision) {
    for (int i = 0; i < SIZES.length; i++) {
      try (KernelsFixture fixture = fixture(precision, 2)) {
        for (ElementType stored : ElementType.values()) {
          Product product =
              new Product(fixture, fixture.type(), stored, SIZES[i], SIZES[(i + 2) % SIZES.length]);
          for (int rows : ROWS) {
            Random random = new Random(SEED + rows);
            float[][] before = KernelsFixture.random(random, rows, product.n);
            Matrix residual = fixture.matrix(ElementType.F32, before);
            fixture.kernels.linearAdd(product.x(rows), product.weight, residual);
            Reference.Sums want = product.want(rows);
            for (int m = 0; m < rows; m++) {
              for (int n = 0; n < product.n; n++) {
                want.value()[m][n] += before[m][n];
                want.magnitude()[m][n] += Math.abs(before[m][n]);
              }
            }
            check(Precision.FLOAT32, residual, want, product.k, "linearAdd " + product);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 6, 1000", "FLOAT32, 72, 150", "FLOAT32, 150, 48", "FLOAT32, 1000, 128",
    "BFLOAT16, 6, 1000", "BFLOAT16, 72, 150", "BFLOAT16, 150, 48", "BFLOAT16, 1000, 128",
    "INT8, 6, 1000", "INT8, 72, 150", "INT8, 150, 48", "INT8, 1000, 128"
  })
  void gatedLinearEvaluatesEveryActivation(Precision precision, int k, int n) {
    try (KernelsFixture fixture = fixture(precision, 2)) {
      ElementType type = precision.feedForward();
      for (ElementType stored : ElementType.values()) {
        Product gate = new Product(fixture, fixture.type(), stored, k, n);
        Product up = gate.byOtherWeights();
        for (Activation activation : Activation.values()) {
          for (int rows : new int[] {1, 2, 33}) {
            Matrix scratch = fixture.empty(type, rows, n);
            Matrix out = fixture.empty(type, rows, n);
            fixture.kernels.gatedLinear(
                gate.x(rows), gate.weight, up.weight, activation, scratch, out);
            checkGated(gate, up, activation, out);
          }
        }
      }
    }
  }

  private void checkGated(Product gate, Product up, Activation activation, Matrix out) {
    Reference.Sums sums = gate.want(out.rows());
    Reference.Sums factors = up.want(out.rows());
    Precision store = precisionOf(out.type());
    for (int m = 0; m < out.rows(); m++) {
      for (int n = 0; n < out.columns(); n++) {
        double x = sums.value()[m][n];
        double argumentError = Reference.sumError(gate.k, sums.magnitude()[m][n]);
        // No activation here is steeper than 1.2.
        double error = 1.2 * argumentError + ACTIVATION_ERROR * Math.max(1, Math.abs(x));
        double factor = factors.value()[m][n];
        double factorError = Reference.sumError(up.k, factors.magnitude()[m][n]);
        factorError += Reference.storeError(store, Math.abs(factor) + factorError);
        double activated = Reference.activation(activation, x);
        sums.value()[m][n] = activated * factor;
        sums.magnitude()[m][n] =
            error * (Math.abs(factor) + factorError) + Math.abs(activated) * factorError;
      }
    }
    checkWithin(store, out, sums, activation + " of " + gate);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void rmsNormDividesByTheRootMeanSquare(Precision precision) {
    for (int columns : SIZES) {
      try (KernelsFixture fixture = fixture(precision, 2)) {
        for (ElementType given : EnumSet.of(fixture.type(), ElementType.F32)) {
          for (float eps : new float[] {1e-5f, 1e-6f, 0.5f}) {
            for (int rows : ROWS) {
              checkNorm(fixture, given, eps, rows, columns);
            }
          }
        }
      }
    }
  }

  private void checkNorm(
      KernelsFixture fixture, ElementType given, float eps, int rows, int columns) {
    Random random = new Random(SEED + rows);
    float[][] x = KernelsFixture.random(random, rows, columns);
    Arrays.fill(x[rows / 2], 0f);
    float[] weight = KernelsFixture.random(random, 1, columns)[0];
    Matrix out = fixture.empty(given, rows, columns);
    fixture.kernels.rmsNorm(fixture.matrix(ElementType.F32, x), weight, eps, out);
    Reference.Sums want = new Reference.Sums(new double[rows][columns], new double[rows][columns]);
    for (int m = 0; m < rows; m++) {
      double squares = 0;
      for (float value : x[m]) {
        squares += (double) value * value;
      }
      double scale = 1 / Math.sqrt(squares / columns + eps);
      for (int k = 0; k < columns; k++) {
        want.value()[m][k] = x[m][k] * scale * weight[k];
        want.magnitude()[m][k] = Math.abs(want.value()[m][k]);
      }
    }
    check(precisionOf(given), out, want, columns, "rmsNorm to " + given);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void rotateTurnsTheHalvesOfEveryHead(Precision precision) {
    try (KernelsFixture fixture = fixture(precision, 2)) {
      for (int headDim : new int[] {2, 6, 48, 64, 128}) {
        for (int heads : new int[] {1, 3, 4}) {
          for (int rows : ROWS) {
            checkRotation(fixture, headDim, heads, rows);
          }
        }
      }
    }
  }

  private void checkRotation(KernelsFixture fixture, int headDim, int heads, int rows) {
    Random random = new Random(SEED + rows);
    int half = headDim / 2;
    float[][] x = KernelsFixture.random(random, rows, heads * headDim);
    float[][] cos = KernelsFixture.random(random, rows, half);
    float[][] sin = KernelsFixture.random(random, rows, half);
    Matrix out = fixture.empty(fixture.type(), rows, heads * headDim);
    fixture.kernels.rotate(fixture.matrix(ElementType.F32, x), cos, sin, out);
    Reference.Sums want =
        new Reference.Sums(new double[rows][out.columns()], new double[rows][out.columns()]);
    for (int m = 0; m < rows; m++) {
      for (int at = 0; at < out.columns(); at++) {
        int place = at % headDim;
        int partner = place < half ? at + half : at - half;
        double own = (double) x[m][at] * cos[m][place % half];
        double other = (double) x[m][partner] * sin[m][place % half];
        want.value()[m][at] = place < half ? own - other : own + other;
        want.magnitude()[m][at] = Math.abs(own) + Math.abs(other);
      }
    }
    check(fixture.kernels.precision(), out, want, 2, "rotate");
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void attendMatchesDoublePrecision(Precision precision) {
    for (int[] heads : new int[][] {{1, 1, 8}, {4, 2, 6}, {6, 2, 48}, {8, 8, 64}, {8, 1, 128}}) {
      try (KernelsFixture fixture = fixture(precision, 2)) {
        for (int queries : ROWS) {
          for (int slots : new int[] {1, 2, 17, 64, 150}) {
            Attention attention =
                new Attention(fixture, heads[0], heads[1], heads[2], queries, slots);
            attention.hideAbout(new Random(SEED + slots));
            fixture.kernels.attend(attention.block(0, queries));
            checkWithin(precision, attention.out, attention.want(), "attend " + attention);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void hiddenSlotsHaveNoEffectWhateverFiniteValuesTheyHold(Precision precision) {
    try (KernelsFixture fixture = fixture(precision, 2)) {
      for (int queries : new int[] {1, 2, 33, 128}) {
        Attention attention = new Attention(fixture, 4, 2, 48, queries, 64);
        for (int q = 0; q < queries; q++) {
          Arrays.fill(attention.mask[q], 40, 64, -Float.MAX_VALUE);
        }
        attention.setSlots(40, 64, 0f);
        fixture.kernels.attend(attention.block(0, queries));
        float[][] plain = KernelsFixture.read(attention.out);
        for (float filling : new float[] {0x1p50f, -0x1p50f}) {
          attention.setSlots(40, 64, filling);
          fixture.kernels.attend(attention.block(0, queries));
          assertThat(KernelsFixture.read(attention.out)).isDeepEqualTo(plain);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void queryThatSeesNothingGetsFiniteValues(Precision precision) {
    try (KernelsFixture fixture = fixture(precision, 2)) {
      for (int queries : new int[] {1, 2, 33}) {
        Attention attention = new Attention(fixture, 4, 2, 48, queries, 64);
        Arrays.fill(attention.mask[queries / 2], -Float.MAX_VALUE);
        fixture.kernels.attend(attention.block(0, queries));
        for (float[] row : KernelsFixture.read(attention.out)) {
          for (float value : row) {
            assertThat(value).isFinite();
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void rowsOfSlackNeverReachOtherRows(Precision precision) {
    for (float filling : new float[] {0f, Float.NaN, Float.POSITIVE_INFINITY}) {
      try (KernelsFixture fixture = fixture(precision, 2)) {
        Product product = new Product(fixture, fixture.type(), ElementType.F32, 72, 150);
        for (int rows : new int[] {1, 2, 3, 17, 33}) {
          Matrix x = product.x(rows);
          Matrix out = fixture.empty(fixture.type(), rows, 150);
          KernelsFixture.fillSlack(x, filling);
          KernelsFixture.fillSlack(out, filling);
          fixture.kernels.linear(x, product.weight, out);
          product.check(out);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void nothingIsDoneForNoRows(Precision precision) {
    try (KernelsFixture fixture = fixture(precision, 2)) {
      Product product = new Product(fixture, fixture.type(), ElementType.F32, 48, 48);
      Matrix none = product.x(2).first(0);
      Matrix empty = fixture.empty(ElementType.F32, 2, 48).first(0);
      Kernels kernels = fixture.kernels;
      kernels.linear(none, product.weight, empty);
      kernels.linearAdd(none, product.weight, empty);
      Matrix within = fixture.empty(precision.feedForward(), 2, 48).first(0);
      kernels.gatedLinear(none, product.weight, product.weight, Activation.SILU, within, within);
      kernels.rmsNorm(empty, new float[48], 1e-5f, none);
      kernels.rotate(empty, new float[0][], new float[0][], none);
      Attention attention = new Attention(fixture, 2, 2, 24, 2, 16);
      Matrix before = attention.out;
      kernels.attend(attention.block(0, 0));
      assertThat(KernelsFixture.readRow(before, 0)).containsOnly(0f);
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void operandsThatDoNotFitAreRefused(Precision precision) {
    try (KernelsFixture fixture = fixture(precision, 2)) {
      Kernels kernels = fixture.kernels;
      ElementType type = fixture.type();
      Weight weight = fixture.weight(ElementType.F32, new float[48][72]);
      Matrix x = fixture.empty(type, 4, 72);
      Matrix out = fixture.empty(type, 4, 48);
      Matrix residual = fixture.empty(ElementType.F32, 4, 48);
      ElementType within = precision.feedForward();
      Matrix gated = fixture.empty(within, 4, 48);
      List<Runnable> misuses =
          List.of(
              () -> kernels.linear(fixture.empty(type, 4, 71), weight, out),
              () -> kernels.linear(x, weight, fixture.empty(type, 4, 47)),
              () -> kernels.linear(x, weight, fixture.empty(type, 5, 48)),
              () -> kernels.linear(x, new OtherWeight(48, 72), out),
              () -> kernels.linearAdd(x, weight, fixture.empty(ElementType.F32, 4, 49)),
              () -> kernels.linearAdd(x, weight, fixture.empty(ElementType.BF16, 4, 48)),
              () -> kernels.linearAdd(fixture.empty(type, 3, 72), weight, residual),
              () -> gate(kernels, x, weight, fixture.empty(within, 4, 47), gated),
              () -> gate(kernels, x, weight, fixture.empty(within, 3, 48), gated),
              () -> gate(kernels, x, weight, gated, fixture.empty(within, 4, 72)),
              () -> gate(kernels, x, new OtherWeight(47, 72), gated, gated),
              () -> kernels.addLowRank(x, new OtherBranch(48, 72), residual),
              () -> kernels.addLowRank(x, new OtherBranch(47, 72), residual),
              () -> kernels.addLowRank(x.first(3), new OtherBranch(48, 72), residual),
              () -> kernels.activate(residual, residual.first(3), Activation.SILU, gated),
              () -> kernels.round(residual, out.first(3)),
              () -> kernels.rmsNorm(residual, new float[47], 1e-5f, out),
              () -> kernels.rmsNorm(residual, new float[48], 1e-5f, x),
              () -> kernels.rmsNorm(residual, new float[48], 1e-5f, out.first(3)),
              () ->
                  kernels.rmsNorm(
                      fixture.empty(ElementType.BF16, 4, 48), new float[48], 1e-5f, out),
              () -> kernels.rotate(residual, new float[3][24], new float[4][24], out),
              () -> kernels.rotate(residual, new float[4][24], new float[3][24], out),
              () -> kernels.rotate(residual, new float[4][24], new float[4][23], out),
              () -> kernels.rotate(residual, new float[4][7], new float[4][7], out),
              () -> kernels.rotate(residual, new float[4][24], new float[4][24], x));
      for (int i = 0; i < misuses.size(); i++) {
        assertThatIllegalArgumentException().as("misuse %d", i).isThrownBy(misuses.get(i)::run);
      }
      if (type == ElementType.F32) {
        Matrix half = fixture.empty(ElementType.BF16, 4, 72);
        assertThatIllegalArgumentException().isThrownBy(() -> kernels.linear(half, weight, out));
        assertThatIllegalArgumentException()
            .isThrownBy(() -> kernels.linear(x, weight, fixture.empty(ElementType.BF16, 4, 48)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void attentionOfOtherTypesOrShapesIsRefused(Precision precision) {
    try (KernelsFixture fixture = fixture(precision, 1)) {
      ElementType type = fixture.type();
      ElementType other = type == ElementType.F32 ? ElementType.BF16 : ElementType.F32;
      Matrix q = fixture.empty(type, 2, 48);
      Matrix kv = fixture.empty(type, 16, 24);
      Matrix mask = fixture.empty(ElementType.F32, 2, 16);
      Matrix otherMask = fixture.empty(ElementType.BF16, 2, 16);
      Matrix otherQ = fixture.empty(other, 2, 48);
      Matrix otherKv = fixture.empty(other, 16, 24);
      List<Runnable> misuses =
          List.of(
              () -> attend(fixture, q, kv, kv, otherMask, 2, 1, q),
              () -> attend(fixture, otherQ, kv, kv, mask, 2, 1, q),
              () -> attend(fixture, q, otherKv, kv, mask, 2, 1, q),
              () -> attend(fixture, q, kv, otherKv, mask, 2, 1, q),
              () -> attend(fixture, q, kv, kv, mask, 2, 1, otherQ),
              () -> attend(fixture, q, kv, kv, mask, 2, 2, q),
              () -> attend(fixture, q, kv, kv, mask, 0, 1, q),
              () -> attend(fixture, q, kv, kv, mask, 2, 0, q),
              () -> attend(fixture, q, kv, kv, mask, 5, 1, q),
              () -> attend(fixture, q, kv, kv.first(15), mask, 2, 1, q),
              () -> attend(fixture, q, kv, kv, mask.first(1), 2, 1, q),
              () -> attend(fixture, q.first(1), kv, kv, mask, 2, 1, q),
              () -> attend(fixture, q, kv.first(0), kv.first(0), mask, 2, 1, q),
              () -> attend(fixture, q, kv, kv, mask, 2, 1, q.first(1)));
      for (int i = 0; i < misuses.size(); i++) {
        assertThatIllegalArgumentException().as("misuse %d", i).isThrownBy(misuses.get(i)::run);
      }
    }
  }

  private static void attend(
      KernelsFixture fixture,
      Matrix queries,
      Matrix keys,
      Matrix values,
      Matrix mask,
      int heads,
      int kvHeads,
      Matrix out) {
    fixture.kernels.attend(
        new AttentionBlock(queries, keys, values, mask, heads, kvHeads, 0.2f, out));
  }

  private static void gate(Kernels kernels, Matrix x, Weight up, Matrix scratch, Matrix out) {
    kernels.gatedLinear(x, up, up, Activation.SILU, scratch, out);
  }

  private record OtherBranch(int outputs, int inputs) implements LowRank {}

  private record OtherWeight(int outputs, int inputs) implements Weight {
    @Override
    public long copiedBytes() {
      return 0;
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void blocksAttendedTogetherHaveTheBitsOfEachAlone(Precision precision) {
    try (KernelsFixture fixture = fixture(precision, 2)) {
      List<AttentionBlock> blocks = new ArrayList<>();
      List<float[]> alone = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        Attention attention = new Attention(fixture, 8, 2, 64, 1, 64 * (1 + i % 8));
        attention.hideAbout(new Random(SEED + i));
        AttentionBlock block = attention.block(0, 1);
        fixture.kernels.attend(block);
        alone.add(KernelsFixture.readRow(block.out(), 0));
        block.out().clearRows(0, 1);
        blocks.add(block);
      }
      fixture.kernels.attendEach(blocks);
      for (int i = 0; i < blocks.size(); i++) {
        assertThat(KernelsFixture.readRow(blocks.get(i).out(), 0)).isEqualTo(alone.get(i));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void bitsOfRowDependOnThatRowAlone(Precision precision) {
    RowInvariance invariance = new RowInvariance(this::fixture, precision, SEED);
    int[] rows = {1, 2, 3, 5, 8, 17, 33, 64, 65, 100, 127, 130, 200};
    invariance.check(rows, 150, 72);
    invariance.check(rows, 256, 1000);
    compared += invariance.rowsCompared();
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void bitsOfRowDependOnThatRowAloneWhereTheWholeTeamWorks(Precision precision) {
    RowInvariance invariance = new RowInvariance(this::fixture, precision, SEED);
    invariance.check(new int[] {1, 2, 3, 17, 128, 511, 512}, mostRows(), 1024, 4096);
    compared += invariance.rowsCompared();
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void adaptersAreAddedInFloat32(Precision precision) {
    LowRankChecks adapters = new LowRankChecks(this::fixture, precision, SEED);
    adapters.matchDoublePrecision();
    adapters.activationsMatchDoublePrecisionAndDependOnTheRowAlone();
    adapters.roundingIsToNearestEven();
    adapters.bitsOfRowDependOnThatRowAlone(150, 72, 3);
    adapters.bitsOfRowDependOnThatRowAlone(1000, 256, 16);
    adapters.bitsOfRowDependOnThatRowAlone(256, 1000, 40);
    adapters.bitsOfLongSumsDependOnNoThreads();
  }

  /** A product with its operands, and its double-precision results. */
  private final class Product {
    final KernelsFixture fixture;
    final int k;
    final int n;
    final Weight weight;
    private final ElementType stored;
    private final Matrix x;
    private final Reference.Sums want;

    Product(KernelsFixture fixture, ElementType in, ElementType stored, int k, int n) {
      this(fixture, stored, n, new Random(SEED + 31L * k + n), inputs(fixture, in, k, n));
    }

    private Product(KernelsFixture fixture, ElementType stored, int n, Random random, Matrix x) {
      this.fixture = fixture;
      this.k = x.columns();
      this.n = n;
      this.stored = stored;
      float[][] weights = KernelsFixture.random(random, n, k);
      this.weight = fixture.weight(stored, weights);
      this.x = x;
      this.want =
          Reference.product(
              fixture.asQuantized(KernelsFixture.read(x)), fixture.asMultiplied(stored, weights));
    }

    private static Matrix inputs(KernelsFixture fixture, ElementType in, int k, int n) {
      Random random = new Random(SEED + 37L * k + n);
      return fixture.matrix(in, KernelsFixture.random(random, ROWS[ROWS.length - 1], k));
    }

    /** The same inputs, other weights of the same shape. */
    Product byOtherWeights() {
      return new Product(fixture, stored, n, new Random(SEED - n), x);
    }

    /** The first rows, in a matrix of their own. */
    Matrix x(int rows) {
      return fixture.matrix(x.type(), Arrays.copyOf(KernelsFixture.read(x), rows));
    }

    /** A copy of the first rows' results. */
    Reference.Sums want(int rows) {
      return new Reference.Sums(
          Arrays.stream(want.value(), 0, rows).map(double[]::clone).toArray(double[][]::new),
          Arrays.stream(want.magnitude(), 0, rows).map(double[]::clone).toArray(double[][]::new));
    }

    void check(Matrix out) {
      KernelsContract.this.check(precisionOf(out.type()), out, want(out.rows()), k, toString());
    }

    @Override
    public String toString() {
      return x.type() + " by " + stored + " [" + n + ", " + k + "]";
    }
  }

  private static Precision precisionOf(ElementType type) {
    return type == ElementType.F32 ? Precision.FLOAT32 : Precision.BFLOAT16;
  }

  /** Results of sums of so many terms, rounded to the type of {@code precision}. */
  private void check(Precision precision, Matrix out, Reference.Sums want, int terms, String what) {
    for (double[] row : want.magnitude()) {
      for (int n = 0; n < row.length; n++) {
        row[n] = Reference.sumError(terms, row[n]);
      }
    }
    checkWithin(precision, out, want, what);
  }

  /** {@code want}'s magnitudes are the errors allowed before rounding. */
  private void checkWithin(Precision precision, Matrix out, Reference.Sums want, String what) {
    float[][] got = KernelsFixture.read(out);
    for (int m = 0; m < got.length; m++) {
      for (int n = 0; n < got[m].length; n++) {
        double value = want.value()[m][n];
        double before = want.magnitude()[m][n];
        double tolerance =
            before + Reference.storeError(precision, Math.abs(value) + before) + TINY;
        double ratio = Math.abs(got[m][n] - value) / tolerance;
        if (!(ratio <= 1)) {
          throw new AssertionError(
              "%s: result [%d, %d] of %d rows is %s, expected %s within %s; seed %d"
                  .formatted(what, m, n, got.length, got[m][n], value, tolerance, SEED));
        }
        worst = Math.max(worst, ratio);
        compared++;
      }
    }
  }
}
