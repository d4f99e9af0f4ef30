package io.sirocco.kernel;

import io.sirocco.checkpoint.ElementType;

/** Compares results with double precision, and keeps how near they came to their tolerance. */
final class Comparison {
  /** Absolute: below it results are subnormal numbers, which processors may flush to zero. */
  private static final double TINY = 0x1p-120;

  private final long seed;
  private long compared;
  private double worst;

  /** {@code seed}: what the operands were drawn with, for messages. */
  Comparison(long seed) {
    this.seed = seed;
  }

  /** Counts results that were compared elsewhere. */
  void count(long results) {
    compared += results;
  }

  /** How many results, and the worst of them as a share of its tolerance. */
  String summary() {
    return "%d results compared, the worst at %.3f of its tolerance (seed %d)"
        .formatted(compared, worst, seed);
  }

  /** What a matrix of that type rounds its elements to. */
  static Precision precisionOf(ElementType type) {
    return type == ElementType.F32 ? Precision.FLOAT32 : Precision.BFLOAT16;
  }

  /** The first rows' results of a product. */
  void check(Product product, Matrix out) {
    Reference.Sums want = product.want(out.rows());
    check(precisionOf(out.type()), out, want, product.k, product.toString());
  }

  /** Results of sums of so many terms, rounded to the type of {@code precision}. */
  void check(Precision precision, Matrix out, Reference.Sums want, int terms, String what) {
    for (double[] row : want.magnitude()) {
      for (int n = 0; n < row.length; n++) {
        row[n] = Reference.sumError(terms, row[n]);
      }
    }
    checkWithin(precision, out, want, what);
  }

  /** {@code want}'s magnitudes are the errors allowed before rounding. */
  void checkWithin(Precision precision, Matrix out, Reference.Sums want, String what) {
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
                  .formatted(what, m, n, got.length, got[m][n], value, tolerance, seed));
        }
        worst = Math.max(worst, ratio);
        compared++;
      }
    }
  }
}
