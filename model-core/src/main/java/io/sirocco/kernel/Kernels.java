package io.sirocco.kernel;

import io.sirocco.checkpoint.Tensor;
import java.util.List;

/**
 * The numeric operations of a decoder, in one {@link Precision} with activation type T.
 *
 * <p>M is the number of tokens of a flat batch, K and N a layer's inputs and outputs. Unless said
 * otherwise sums are accumulated in float32 or wider and rounded once to the type of {@code out}.
 * The bits of a result row depend on that row and the weights alone: not on M, on the row's place,
 * on the number of threads. Rows of slack (see {@link Matrix}) may be read and overwritten.
 *
 * <p>Not safe for concurrent use: one thread drives one instance, which may employ others.
 */
public interface Kernels extends AutoCloseable {
  /** Which implementation this is and what it found on this machine, for people. */
  String description();

  /** The numeric mode all matrices and weights of this instance follow. */
  Precision precision();

  /**
   * Prepares a tensor {@code [N, K]} for products: in place where its type allows, or in a form
   * that these kernels keep prepared.
   */
  Weight weight(Tensor tensor, WeightUse use);

  /** A weight of the layers. */
  default Weight weight(Tensor tensor) {
    return weight(tensor, WeightUse.LAYER);
  }

  /** {@code out[M,N] = x[M,K] · W[N,K]ᵀ}; x is T or F32, out is T or F32. */
  void linear(Matrix x, Weight weight, Matrix out);

  /** {@code residual[M,N] += x[M,K] · W[N,K]ᵀ}; x is T, residual F32. */
  void linearAdd(Matrix x, Weight weight, Matrix residual);

  /** {@link #linear} of one x with several weights, each into the matrix at its place. */
  default void linearEach(Matrix x, List<Weight> weights, List<Matrix> outs) {
    for (int i = 0; i < weights.size(); i++) {
      linear(x, weights.get(i), outs.get(i));
    }
  }

  /**
   * {@code out[M,N] = act(x[M,K] · G[N,K]ᵀ) ⊙ (x[M,K] · U[N,K]ᵀ)}; x is T, {@code scratch} and out
   * are of {@link Precision#feedForward}, the activation is evaluated in F32.
   *
   * @param scratch {@code [M, N]}, overwritten
   */
  void gatedLinear(Matrix x, Weight gate, Weight up, Activation act, Matrix scratch, Matrix out);

  /**
   * Prepares an adapter's {@code scaling · B[N,R] · A[R,K]}: copied to F32, {@code scaling · B}
   * rounded once; freed when these kernels close.
   */
  LowRank lowRank(Tensor a, Tensor b, float scaling);

  /**
   * {@code out[M,N] += (x[M,K] · A[R,K]ᵀ) · (scaling · B[N,R])ᵀ}; x is T or F32 and widened
   * exactly, out is F32, and so is what lies between the products. No row needs slack, and none is
   * touched.
   */
  void addLowRank(Matrix x, LowRank branch, Matrix out);

  /**
   * {@code out = act(gate) ⊙ up}: gate and up are F32 and may be overwritten, out is T or F32 and
   * may be {@code gate}. What {@link #gatedLinear} does where something is added to its products.
   */
  void activate(Matrix gate, Matrix up, Activation act, Matrix out);

  /** {@code out = x}, F32 to T: rounded to nearest even. */
  void round(Matrix x, Matrix out);

  /** {@code out[m,:] = x[m,:] · rsqrt(mean(x[m,:]²) + eps) ⊙ weight}; x is F32, out is T or F32. */
  void rmsNorm(Matrix x, float[] weight, float eps, Matrix out);

  /**
   * Rotates each head of each row (rotary embedding, halves of a head as pairs): {@code out = x ⊙
   * cos + rot(x) ⊙ sin} with {@code rot(x) = [-x_hi, x_lo]}. x is F32 {@code [M, heads·headDim]},
   * out is T; {@code cos[m]} and {@code sin[m]} hold headDim / 2 factors for row m.
   */
  void rotate(Matrix x, float[][] cos, float[][] sin, Matrix out);

  /** {@code out = softmax(scale · q · kᵀ + mask) · v} per head, softmax in F32. */
  void attend(AttentionBlock block);

  /** {@link #attend} of each; none may read or write what another writes, slack included. */
  default void attendEach(List<AttentionBlock> blocks) {
    blocks.forEach(this::attend);
  }

  @Override
  void close();
}
