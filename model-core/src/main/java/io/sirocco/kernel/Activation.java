package io.sirocco.kernel;

/** The element-wise functions a gated feed-forward layer may use ({@code hidden_act}). */
public enum Activation {
  /** {@code x · sigmoid(x)}; also called swish. */
  SILU,
  /** {@code x · Φ(x)} with the error function. */
  GELU,
  /** {@code gelu} by the tanh approximation ({@code gelu_new}, {@code gelu_pytorch_tanh}). */
  GELU_TANH,
  /** {@code x · sigmoid(1.702 x)}. */
  QUICK_GELU,
  /** {@code max(x, 0)}. */
  RELU,
  /** {@code tanh(x)}. */
  TANH,
  /** {@code 1 / (1 + e^-x)}. */
  SIGMOID
}
