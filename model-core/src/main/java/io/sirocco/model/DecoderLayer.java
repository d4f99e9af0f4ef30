package io.sirocco.model;

import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Weight;

/**
 * One decoder layer's weights, prepared for the kernels. D is hidden_size, F intermediate_size.
 *
 * @param inputNorm {@code [D]}, before attention
 * @param query {@code [heads·headDim, D]}
 * @param key {@code [kvHeads·headDim, D]}
 * @param value {@code [kvHeads·headDim, D]}
 * @param attentionOut {@code [D, heads·headDim]}
 * @param feedForwardNorm {@code [D]}, before the feed-forward network
 * @param gate {@code [F, D]}
 * @param up {@code [F, D]}
 * @param down {@code [D, F]}
 */
@SuppressWarnings("ArrayRecordComponent") // weights, never compared
record DecoderLayer(
    float[] inputNorm,
    Weight query,
    Weight key,
    Weight value,
    Weight attentionOut,
    float[] feedForwardNorm,
    Weight gate,
    Weight up,
    Weight down) {

  static DecoderLayer prepare(MistralWeights.Layer layer, Kernels kernels) {
    return new DecoderLayer(
        Vectors.read(layer.inputLayernorm()),
        kernels.weight(layer.qProj()),
        kernels.weight(layer.kProj()),
        kernels.weight(layer.vProj()),
        kernels.weight(layer.oProj()),
        Vectors.read(layer.postAttentionLayernorm()),
        kernels.weight(layer.gateProj()),
        kernels.weight(layer.upProj()),
        kernels.weight(layer.downProj()));
  }
}
