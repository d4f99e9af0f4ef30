package io.sirocco.model;

import io.sirocco.checkpoint.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A LoRA adapter's weights, with shapes that fit the model it is for.
 *
 * @param layers as many as the model has; each with what is added to its linear layers
 * @param score {@code [labels, hidden_size]}: replaces the classifier's weight
 */
public record AdapterWeights(List<Map<Projection, Branch>> layers, Optional<Tensor> score) {

  /** Kernels may fill up ranks to a multiple of so many. */
  private static final int RANK_STEP = 16;

  /**
   * {@code scaling · B · A}, added to a weight {@code [N, K]}.
   *
   * @param a {@code [R, K]}
   * @param b {@code [N, R]}
   */
  public record Branch(Tensor a, Tensor b, float scaling) {
    /** R. */
    public int rank() {
      return a.rows();
    }

    long bytes() {
      long filled = (rank() + RANK_STEP - 1L) / RANK_STEP * RANK_STEP;
      return filled * (a.columns() + b.rows()) * Float.BYTES;
    }
  }

  public AdapterWeights {
    layers = layers.stream().map(Map::copyOf).toList();
  }

  /** The largest rank; 0 if nothing is added anywhere. */
  public int rank() {
    return layers.stream()
        .flatMap(layer -> layer.values().stream())
        .mapToInt(Branch::rank)
        .max()
        .orElse(0);
  }

  /** Memory of a process that its matrices take once they are prepared, in bytes, at most. */
  public long preparedBytes() {
    return layers.stream().flatMap(layer -> layer.values().stream()).mapToLong(Branch::bytes).sum();
  }
}
