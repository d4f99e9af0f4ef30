package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_0;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Activation;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reduction;

/**
 * Builds the calls of int8 products: the passes that quantise activations, the product, the passes
 * that give its result the activations' scales. oneDNN has no fast product with a scale for each
 * row of its input, so those are passes of their own.
 */
final class Int8Calls {
  /** An output's scale. */
  static final int ARG_WEIGHT_SCALES = DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS;

  /** The factor {@code up} of a gated product. */
  static final int ARG_UP = DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (1 + 1) | DNNL_ARG_SRC_1;

  /** {@code out[m] = max_k x[m,k]}, or the least; F32. */
  record Extreme(boolean largest, ElementType x, int m, int k) {}

  /** {@code q[m,k] = round(x[m,k] · inverse[m])}, int8. */
  record Quantization(ElementType x, int m, int k) {}

  /** {@code out[m,n] = scale[n] · Σ_k q[m,k] · W[k,n]}, F32. */
  record Product(int m, int k, int n, PackedLayout weight) {}

  /** {@code out[m,n] = x[m,n] · scale[m]}, or added to what {@code out} holds; F32. */
  record Scaling(int m, int n, boolean adds) {}

  /** {@code out[m,n] = act(x[m,n] · scale[m]) · up[m,n]}, F32. */
  record Gate(int m, int n, Activation act) {}

  private Int8Calls() {}

  static Call extreme(engine cpu, Extreme shape) {
    memory.desc x = Descriptors.rowMajor(shape.x(), shape.m(), shape.k(), shape.k());
    memory.desc out = column(shape.m());
    primitive_attr attributes = Call.attributes();
    reduction.primitive_desc pass =
        new reduction.primitive_desc(
            cpu,
            shape.largest() ? algorithm.reduction_max : algorithm.reduction_min,
            x,
            out,
            0f,
            0f,
            attributes,
            false);
    Map<Integer, memory> operands = new HashMap<>();
    operands.put(DNNL_ARG_SRC, Call.operand(x, cpu));
    operands.put(DNNL_ARG_DST, Call.operand(out, cpu));
    return Call.of(new reduction(pass), operands, pass.scratchpad_desc(), cpu, pass, attributes);
  }

  static Call quantization(engine cpu, Quantization shape) {
    memory.desc x = Descriptors.rowMajor(shape.x(), shape.m(), shape.k(), shape.k());
    return byRow(cpu, x, int8(shape.m(), shape.k()), new post_ops(), new HashMap<>());
  }

  static Call product(engine cpu, Product shape) {
    memory.desc x = int8(shape.m(), shape.k());
    memory.desc out = rows(shape.m(), shape.n());
    primitive_attr attributes = Call.attributes();
    attributes.set_scales_mask(DNNL_ARG_WEIGHTS, 1 << 1);
    matmul.primitive_desc product =
        new matmul.primitive_desc(cpu, x, shape.weight().layout(), out, attributes, false);
    Map<Integer, memory> operands = new HashMap<>();
    operands.put(DNNL_ARG_SRC, Call.operand(x, cpu));
    operands.put(DNNL_ARG_WEIGHTS, Call.operand(shape.weight().layout(), cpu));
    operands.put(
        ARG_WEIGHT_SCALES,
        Call.operand(Descriptors.strided(ElementType.F32, new long[] {shape.n()}, 1), cpu));
    operands.put(DNNL_ARG_DST, Call.operand(out, cpu));
    return Call.of(
        new matmul(product), operands, product.scratchpad_desc(), cpu, product, attributes);
  }

  static Call scaling(engine cpu, Scaling shape) {
    memory.desc x = rows(shape.m(), shape.n());
    post_ops after = new post_ops();
    if (shape.adds()) {
      after.append_sum();
    }
    return byRow(cpu, x, x, after, new HashMap<>());
  }

  static Call gate(engine cpu, Gate shape) {
    memory.desc x = rows(shape.m(), shape.n());
    post_ops after = new post_ops();
    Products.append(after, shape.act());
    after.append_binary(algorithm.binary_mul, x);
    Map<Integer, memory> operands = new HashMap<>();
    operands.put(ARG_UP, Call.operand(x, cpu));
    return byRow(cpu, x, x, after, operands);
  }

  /** {@code x[m,n] · factor[m]}, the factor at {@code DNNL_ARG_SRC_1}. */
  private static Call byRow(
      engine cpu, memory.desc x, memory.desc out, post_ops after, Map<Integer, memory> operands) {
    memory.desc factors = column(x.get_dims().get(0));
    primitive_attr attributes = Call.attributes();
    attributes.set_post_ops(after);
    binary.primitive_desc pass =
        new binary.primitive_desc(cpu, algorithm.binary_mul, x, factors, out, attributes, false);
    operands.put(DNNL_ARG_SRC_0, Call.operand(x, cpu));
    operands.put(DNNL_ARG_SRC_1, Call.operand(factors, cpu));
    operands.put(DNNL_ARG_DST, Call.operand(out, cpu));
    return Call.of(
        new binary(pass), operands, pass.scratchpad_desc(), cpu, pass, attributes, after);
  }

  private static memory.desc rows(long m, long n) {
    return Descriptors.rowMajor(ElementType.F32, m, n, n);
  }

  private static memory.desc column(long m) {
    return Descriptors.rowMajor(ElementType.F32, m, 1, 1);
  }

  private static memory.desc int8(long m, long k) {
    return new memory.desc(new long[] {m, k}, memory.data_type.s8, new long[] {k, 1});
  }
}
