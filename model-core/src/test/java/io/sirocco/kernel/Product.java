package io.sirocco.kernel;

import io.sirocco.checkpoint.ElementType;
import java.util.Arrays;
import java.util.Random;

/** Random operands of a product, and its double-precision results. */
final class Product {
  /** Rows of its inputs. */
  static final int MOST_ROWS = 130;

  /** Error of an activation in float32, relative to the larger of 1 and its argument. */
  private static final double ACTIVATION_ERROR = 0x1p-21;

  private static final long SEED = 20260711;

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
    return fixture.matrix(in, KernelsFixture.random(random, MOST_ROWS, k));
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

  /**
   * The first rows' results as gates, times those of {@code up}. Magnitudes are the errors allowed
   * before the result is rounded to {@code store}, as each factor is.
   */
  Reference.Sums wantGating(Product up, Activation activation, int rows, Precision store) {
    Reference.Sums sums = want(rows);
    Reference.Sums factors = up.want(rows);
    for (int m = 0; m < rows; m++) {
      for (int n = 0; n < this.n; n++) {
        double x = sums.value()[m][n];
        double argumentError = Reference.sumError(k, sums.magnitude()[m][n]);
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
    return sums;
  }

  @Override
  public String toString() {
    return x.type() + " by " + stored + " [" + n + ", " + k + "]";
  }
}
