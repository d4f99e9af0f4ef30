package io.sirocco.model;

import io.sirocco.checkpoint.Tensor;

/** Weights of rank 1, which are small, as float arrays. */
final class Vectors {
  private Vectors() {}

  /** All elements of a tensor {@code [N]}. */
  static float[] read(Tensor vector) {
    float[] values = new float[vector.rows()];
    float[] one = new float[1];
    for (int i = 0; i < values.length; i++) {
      vector.readRow(i, one);
      values[i] = one[0];
    }
    return values;
  }
}
