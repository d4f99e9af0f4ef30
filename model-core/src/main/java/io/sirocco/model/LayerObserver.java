package io.sirocco.model;

import io.sirocco.kernel.Matrix;

/** Sees the residual stream between layers: to compare with a reference, to measure. */
@FunctionalInterface
public interface LayerObserver {
  /** Sees nothing. */
  LayerObserver NONE = (layer, residual) -> {};

  /**
   * Called before the first layer and after each.
   *
   * @param layer 0 for the embeddings, n for what layer n - 1 left
   * @param residual F32 {@code [tokens, hidden_size]}; valid during the call, not to be changed
   */
  void after(int layer, Matrix residual);
}
