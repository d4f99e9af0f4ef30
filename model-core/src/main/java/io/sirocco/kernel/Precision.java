package io.sirocco.kernel;

import io.sirocco.checkpoint.ElementType;

/** The numeric mode of a model: the element type of the activations between its operations. */
public enum Precision {
  /** Float activations on the stored weights: within rounding of the float32 reference. */
  FLOAT32(ElementType.F32),
  /** bfloat16 activations and weights; residual stream, norms and softmax stay in float32. */
  BFLOAT16(ElementType.BF16);

  private final ElementType activation;

  Precision(ElementType activation) {
    this.activation = activation;
  }

  /** Element type of the operands of matrix products. */
  public ElementType activation() {
    return activation;
  }
}
