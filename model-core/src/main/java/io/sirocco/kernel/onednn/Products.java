package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Activation;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.fpmath_mode;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;

/** Builds the matrix products of linear layers, with what is fused behind them. */
final class Products {
  /** The factor {@code up} of a gated product: operand of post-op number 1. */
  static final int ARG_UP = DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (1 + 1) | DNNL_ARG_SRC_1;

  private static final float QUICK_GELU_ALPHA = 1.702f;

  /**
   * {@code out[m,n] = x[m,k] · W[n,k]ᵀ}.
   *
   * @param xStride elements between rows of {@code x}
   * @param packed layout of W; empty where it is row-major
   * @param outStride elements between rows of {@code out}
   * @param addsToOut whether the product is added to what {@code out} holds
   * @param gate the activation applied to the product before it is multiplied by {@code up[m,n]}
   */
  record Shape(
      int m,
      int k,
      int n,
      int xStride,
      int outStride,
      ElementType x,
      ElementType weight,
      Optional<PackedLayout> packed,
      ElementType out,
      boolean addsToOut,
      Optional<Activation> gate) {}

  private Products() {}

  static Call call(engine cpu, Shape shape) {
    memory.desc x = Descriptors.rowMajor(shape.x(), shape.m(), shape.k(), shape.xStride());
    memory.desc weight =
        shape
            .packed()
            .map(PackedLayout::layout)
            .orElseGet(() -> Descriptors.transposed(shape.weight(), shape.k(), shape.n()));
    memory.desc out = Descriptors.rowMajor(shape.out(), shape.m(), shape.n(), shape.outStride());
    Map<Integer, memory> operands = new HashMap<>();
    primitive_attr attributes = Call.attributes();
    if (shape.x() == ElementType.F32 && shape.weight() != ElementType.F32) {
      // Reads 16-bit weights as they are and accumulates in float32; x is not rounded.
      attributes.set_fpmath_mode(fpmath_mode.any, true);
    }
    post_ops after = new post_ops();
    if (shape.addsToOut()) {
      after.append_sum();
    }
    if (shape.gate().isPresent()) {
      memory.desc up = Descriptors.rowMajor(shape.out(), shape.m(), shape.n(), shape.outStride());
      append(after, shape.gate().get());
      after.append_binary(algorithm.binary_mul, up);
      operands.put(ARG_UP, Call.operand(up, cpu));
    }
    attributes.set_post_ops(after);
    matmul.primitive_desc product =
        new matmul.primitive_desc(cpu, x, weight, out, attributes, false);
    operands.put(DNNL_ARG_SRC, Call.operand(x, cpu));
    operands.put(DNNL_ARG_WEIGHTS, Call.operand(weight, cpu));
    operands.put(DNNL_ARG_DST, Call.operand(out, cpu));
    return Call.of(
        new matmul(product), operands, product.scratchpad_desc(), cpu, product, attributes, after);
  }

  /** The activation, applied to what comes before. */
  static void append(post_ops after, Activation activation) {
    switch (activation) {
      case SILU -> after.append_eltwise(algorithm.eltwise_swish, 1f, 0f);
      case QUICK_GELU -> after.append_eltwise(algorithm.eltwise_swish, QUICK_GELU_ALPHA, 0f);
      case GELU -> after.append_eltwise(algorithm.eltwise_gelu_erf, 0f, 0f);
      case GELU_TANH -> after.append_eltwise(algorithm.eltwise_gelu_tanh, 0f, 0f);
      case RELU -> after.append_eltwise(algorithm.eltwise_relu, 0f, 0f);
      case TANH -> after.append_eltwise(algorithm.eltwise_tanh, 0f, 0f);
      case SIGMOID -> after.append_eltwise(algorithm.eltwise_logistic, 0f, 0f);
    }
  }
}
