package io.sirocco.model;

import java.util.Arrays;
import java.util.Objects;

/**
 * How hidden states become an embedding.
 *
 * @param pooling which of them count
 * @param dimensions elements that are kept, the first ones
 * @param normalize whether the result has Euclidean length 1
 */
public record EmbeddingForm(Pooling pooling, int dimensions, boolean normalize) {
  /** As in torch.nn.functional.normalize: keeps a vector of zeros from becoming NaN. */
  private static final double LEAST_LENGTH = 1e-12;

  public EmbeddingForm {
    Objects.requireNonNull(pooling, "pooling");
    if (dimensions < 1) {
      throw new IllegalArgumentException("dimensions " + dimensions);
    }
  }

  /**
   * The embedding that a pooled hidden state becomes: cut first, then normalised, so that what is
   * kept has length 1, as models trained for several sizes (Matryoshka) want it.
   *
   * @param pooled at least as long as {@link #dimensions}; not changed
   */
  float[] of(float[] pooled) {
    float[] embedding = Arrays.copyOf(pooled, dimensions);
    if (normalize) {
      double squares = 0;
      for (float element : embedding) {
        squares += (double) element * element;
      }
      double length = Math.max(Math.sqrt(squares), LEAST_LENGTH);
      for (int i = 0; i < embedding.length; i++) {
        embedding[i] = (float) (embedding[i] / length);
      }
    }
    return embedding;
  }
}
