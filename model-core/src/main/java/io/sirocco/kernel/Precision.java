package io.sirocco.kernel;

import io.sirocco.checkpoint.ElementType;

/** The numeric mode of a model: the element type of the activations between its operations. */
public enum Precision {
  /** Float activations on the stored weights: within rounding of the float32 reference. */
  FLOAT32(ElementType.F32, ElementType.F32),
  /** bfloat16 activations and weights; residual stream, norms and softmax stay in float32. */
  BFLOAT16(ElementType.BF16, ElementType.BF16),
  /**
   * As bfloat16, but the layers' products multiply int8: weights quantised by output, activations
   * by token.
   */
  INT8(ElementType.BF16, ElementType.F32);

  private final ElementType activation;
  private final ElementType feedForward;

  Precision(ElementType activation, ElementType feedForward) {
    this.activation = activation;
    this.feedForward = feedForward;
  }

  /** Element type of the operands of matrix products. */
  public ElementType activation() {
    return activation;
  }

  /** Element type of the activations within the feed-forward network. */
  public ElementType feedForward() {
    return feedForward;
  }
}
