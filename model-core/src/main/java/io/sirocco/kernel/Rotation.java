package io.sirocco.kernel;

import io.sirocco.checkpoint.ElementType;

/**
 * The rotary embedding for all kernels, in loops over float arrays that the JIT turns into vector
 * code.
 */
public final class Rotation {
  private Rotation() {}

  /** As {@link Kernels#rotate}. */
  public static void rotate(Matrix x, float[][] cos, float[][] sin, Matrix out) {
    if (x.type() != ElementType.F32
        || x.rows() != out.rows()
        || x.columns() != out.columns()
        || cos.length < x.rows()
        || sin.length < x.rows()) {
      throw new IllegalArgumentException("rotation of " + x + " into " + out);
    }
    float[] row = new float[x.columns()];
    float[] turned = new float[x.columns()];
    for (int m = 0; m < x.rows(); m++) {
      x.readRow(m, row);
      int half = cos[m].length;
      if (half == 0 || sin[m].length != half || row.length % (2 * half) != 0) {
        throw new IllegalArgumentException(
            "rotation of " + x + " by " + half + " cos and " + sin[m].length + " sin");
      }
      for (int head = 0; head < row.length; head += 2 * half) {
        turn(row, head, half, cos[m], sin[m], turned);
      }
      out.writeRow(m, turned);
    }
  }

  private static void turn(
      float[] row, int head, int half, float[] cos, float[] sin, float[] turned) {
    int upper = head + half;
    for (int i = 0; i < half; i++) {
      turned[head + i] = row[head + i] * cos[i] - row[upper + i] * sin[i];
    }
    for (int i = 0; i < half; i++) {
      turned[upper + i] = row[upper + i] * cos[i] + row[head + i] * sin[i];
    }
  }
}
