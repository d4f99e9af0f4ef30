package io.sirocco.kernel;

import static org.assertj.core.api.Assertions.assertThat;
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
  private static final int[] ROWS = {1, 2, 3, 17, 33, 64, 127, Product.MOST_ROWS};
  private static final int[] SIZES = {6, 48, 72, 150, 128, 256, 1000};

  private final Comparison comparison = new Comparison(SEED);

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
    System.out.println(getClass().getSimpleName() + ": " + comparison.summary());
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
              comparison.check(product, out);
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
                comparison.check(product, out);
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
          comparison.check(Precision.FLOAT32, out, want, 72, "slabs of " + stored);
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
            comparison.check(Precision.FLOAT32, residual, want, product.k, "linearAdd " + product);
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
    Precision store = Comparison.precisionOf(out.type());
    Reference.Sums sums = gate.wantGating(up, activation, out.rows(), store);
    comparison.checkWithin(store, out, sums, activation + " of " + gate);
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
    Reference.Sums want = Reference.rmsNorm(x, weight, eps);
    comparison.check(Comparison.precisionOf(given), out, want, columns, "rmsNorm to " + given);
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
    Reference.Sums want = Reference.rotate(x, cos, sin, headDim);
    comparison.check(fixture.kernels.precision(), out, want, 2, "rotate");
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
            comparison.checkWithin(
                precision, attention.out, attention.want(), "attend " + attention);
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
          comparison.check(product, out);
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
      new Misuses(fixture).ofOperands();
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void attentionOfOtherTypesOrShapesIsRefused(Precision precision) {
    try (KernelsFixture fixture = fixture(precision, 1)) {
      new Misuses(fixture).ofAttention();
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
    comparison.count(invariance.rowsCompared());
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void bitsOfRowDependOnThatRowAloneWhereTheWholeTeamWorks(Precision precision) {
    RowInvariance invariance = new RowInvariance(this::fixture, precision, SEED);
    invariance.check(new int[] {1, 2, 3, 17, 128, 511, 512}, mostRows(), 1024, 4096);
    comparison.count(invariance.rowsCompared());
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
}
