package io.sirocco.model;

import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Kernels;
import java.util.List;

/**
 * A Mistral decoder: config, weights, and the kernels that compute them. Immutable; what changes
 * while it computes lives in a {@link Decoder}. The weights stay mapped for as long as it is
 * reachable; the kernels stay the caller's.
 *
 * @param config the model's hyperparameters
 * @param embedding {@code [vocab_size, hidden_size]}
 * @param layers in order
 * @param norm {@code [hidden_size]}, before the head
 * @param kernels that prepared the weights
 */
@SuppressWarnings("ArrayRecordComponent") // weights, never compared
public record MistralModel(
    MistralConfig config,
    Tensor embedding,
    List<DecoderLayer> layers,
    float[] norm,
    Kernels kernels) {

  public MistralModel {
    layers = List.copyOf(layers);
  }

  /** Prepares weights whose shapes have been checked. */
  public static MistralModel of(MistralConfig config, MistralWeights weights, Kernels kernels) {
    List<DecoderLayer> layers =
        weights.layers().stream().map(layer -> DecoderLayer.prepare(layer, kernels)).toList();
    return new MistralModel(
        config, weights.embedTokens(), layers, Vectors.read(weights.norm()), kernels);
  }
}
