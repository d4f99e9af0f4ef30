package io.sirocco.kernel;

import io.sirocco.checkpoint.Tensor;

/**
 * {@link JavaKernels}' form of an adapter's branch.
 *
 * @param a {@code [R, K]}
 * @param b {@code [N, R]}, with the scaling
 */
@SuppressWarnings("ArrayRecordComponent") // weights, never compared
record JavaLowRank(float[][] a, float[][] b) implements LowRank {

  static JavaLowRank of(Tensor a, Tensor b, float scaling) {
    float[][] scaled = read(b);
    for (float[] row : scaled) {
      for (int r = 0; r < row.length; r++) {
        row[r] *= scaling;
      }
    }
    return new JavaLowRank(read(a), scaled);
  }

  private static float[][] read(Tensor tensor) {
    float[][] rows = new float[tensor.rows()][tensor.columns()];
    for (int row = 0; row < rows.length; row++) {
      tensor.readRow(row, rows[row]);
    }
    return rows;
  }

  /** Adds the product with one row of K inputs to its N outputs; what lies between is F32. */
  void add(float[] x, float[] out) {
    float[] between = new float[a.length];
    for (int r = 0; r < between.length; r++) {
      between[r] = (float) JavaKernels.dot(x, a[r]);
    }
    for (int n = 0; n < out.length; n++) {
      out[n] = (float) (out[n] + JavaKernels.dot(between, b[n]));
    }
  }

  @Override
  public int outputs() {
    return b.length;
  }

  @Override
  public int inputs() {
    return a[0].length;
  }
}
