package io.sirocco.model;

import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.LowRank;
import io.sirocco.kernel.Weight;
import io.sirocco.kernel.WeightUse;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A LoRA adapter, prepared for the kernels of a {@link MistralModel}: {@code y = W·x + scaling ·
 * B·(A·x)} for the rows that have it. The model's own weights stay as they are. Immutable; rows
 * have the same adapter if it is the same object.
 */
public final class Adapter {
  private final List<Map<Projection, LowRank>> layers;
  private final Optional<Weight> score;

  private Adapter(List<Map<Projection, LowRank>> layers, Optional<Weight> score) {
    this.layers = layers;
    this.score = score;
  }

  /** Copies the matrices into memory of the kernels, which free it when they close. */
  public static Adapter of(AdapterWeights weights, Kernels kernels) {
    List<Map<Projection, LowRank>> layers = new ArrayList<>();
    for (Map<Projection, AdapterWeights.Branch> layer : weights.layers()) {
      Map<Projection, LowRank> branches = new EnumMap<>(Projection.class);
      layer.forEach(
          (projection, branch) ->
              branches.put(projection, kernels.lowRank(branch.a(), branch.b(), branch.scaling())));
      layers.add(branches);
    }
    return new Adapter(
        layers, weights.score().map(score -> kernels.weight(score, WeightUse.SCORE)));
  }

  /** What is added in that layer, if anything is. */
  Optional<LowRank> branch(int layer, Projection projection) {
    return Optional.ofNullable(layers.get(layer).get(projection));
  }

  /** The classifier's weight in place of the model's, if the adapter has one. */
  public Optional<Weight> score() {
    return score;
  }
}
