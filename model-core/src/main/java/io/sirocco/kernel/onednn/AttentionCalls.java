package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.AttentionBlock;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.softmax_forward;

/**
 * Builds the three calls of grouped-query attention. Each works on {@code [kvHeads, group, ...]}:
 * the key-value head is one batch dimension, the query heads that share it are the other, over
 * which keys and values are broadcast. Queries, keys, values and result are strided views on the
 * flat matrices, so nothing is copied.
 */
final class AttentionCalls {
  /** The mask: operand of post-op number 1. */
  static final int ARG_MASK = DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (1 + 1) | DNNL_ARG_SRC_1;

  /**
   * @param step scores, softmax or weighted sum
   * @param q queries of the block
   * @param s key slots
   * @param kvHeads key-value heads of this call
   * @param group query heads per key-value head
   * @param headDim elements of a head
   * @param kvHeadStride elements from the queries of one key-value head to those of the next
   * @param queryStride elements from one query of a head to the next
   * @param maskRows q, or 1 where all queries share the mask
   * @param allKvHeads key-value heads of the model: the row strides of keys and values follow
   */
  record Shape(
      Step step,
      int q,
      int s,
      int kvHeads,
      int group,
      int headDim,
      int kvHeadStride,
      int queryStride,
      int maskRows,
      int allKvHeads,
      ElementType type,
      float scale) {

    /** The heads of a group then take the place of a block's queries, and share one mask row. */
    static Shape ofOneToken(Step step, AttentionBlock block, int kvHeads) {
      int group = block.heads() / block.kvHeads();
      int stride = group * block.headDim();
      return new Shape(
          step,
          group,
          block.keys().rows(),
          kvHeads,
          1,
          block.headDim(),
          stride,
          block.headDim(),
          1,
          block.kvHeads(),
          block.queries().type(),
          block.scale());
    }

    static Shape ofBlock(Step step, AttentionBlock block, int kvHeads) {
      int group = block.heads() / block.kvHeads();
      return new Shape(
          step,
          block.queries().rows(),
          block.keys().rows(),
          kvHeads,
          group,
          block.headDim(),
          group * block.headDim(),
          block.queries().columns(),
          block.queries().rows(),
          block.kvHeads(),
          block.queries().type(),
          block.scale());
    }

    private memory.desc queries() {
      return Descriptors.strided(
          type, new long[] {kvHeads, group, q, headDim}, kvHeadStride, headDim, queryStride, 1);
    }

    private memory.desc keys() {
      long row = (long) allKvHeads * headDim;
      return Descriptors.strided(
          type, new long[] {kvHeads, 1, headDim, s}, headDim, headDim, 1, row);
    }

    private memory.desc values() {
      long row = (long) allKvHeads * headDim;
      return Descriptors.strided(
          type, new long[] {kvHeads, 1, s, headDim}, headDim, headDim, row, 1);
    }

    private memory.desc scores(ElementType of) {
      return Descriptors.strided(
          of, new long[] {kvHeads, group, q, s}, (long) group * q * s, (long) q * s, s, 1);
    }

    private memory.desc mask() {
      long size = (long) maskRows * s;
      return Descriptors.strided(ElementType.F32, new long[] {1, 1, maskRows, s}, size, size, s, 1);
    }
  }

  /** The calls, in their order. */
  enum Step {
    SCORES,
    SOFTMAX,
    WEIGHTED_SUM
  }

  private AttentionCalls() {}

  static Call call(engine cpu, Shape shape) {
    return switch (shape.step()) {
      case SCORES -> scores(cpu, shape);
      case SOFTMAX -> softmax(cpu, shape);
      case WEIGHTED_SUM -> weightedSum(cpu, shape);
    };
  }

  /** {@code scores = scale · q · kᵀ + mask}, F32. */
  private static Call scores(engine cpu, Shape shape) {
    memory.desc mask = shape.mask();
    post_ops after = new post_ops();
    after.append_eltwise(algorithm.eltwise_linear, shape.scale(), 0f);
    after.append_binary(algorithm.binary_add, mask);
    primitive_attr attributes = Call.attributes();
    attributes.set_post_ops(after);
    Map<Integer, memory> operands = new HashMap<>();
    operands.put(ARG_MASK, Call.operand(mask, cpu));
    return product(
            cpu, shape.queries(), shape.keys(), shape.scores(ElementType.F32), attributes, operands)
        .keeping(after);
  }

  /** {@code probabilities = softmax(scores)} over the slots, F32 to T; in place where T is F32. */
  private static Call softmax(engine cpu, Shape shape) {
    primitive_attr attributes = Call.attributes();
    memory.desc scores = shape.scores(ElementType.F32);
    memory.desc probabilities = shape.scores(shape.type());
    softmax_forward.primitive_desc softmax =
        new softmax_forward.primitive_desc(
            cpu,
            prop_kind.forward_inference,
            algorithm.softmax_accurate,
            scores,
            probabilities,
            3,
            attributes,
            false);
    Map<Integer, memory> operands = new HashMap<>();
    operands.put(DNNL_ARG_SRC, Call.operand(scores, cpu));
    operands.put(DNNL_ARG_DST, Call.operand(probabilities, cpu));
    return Call.of(
        new softmax_forward(softmax),
        operands,
        softmax.scratchpad_desc(),
        cpu,
        softmax,
        attributes);
  }

  /** {@code out = probabilities · v}. */
  private static Call weightedSum(engine cpu, Shape shape) {
    return product(
        cpu,
        shape.scores(shape.type()),
        shape.values(),
        shape.queries(),
        Call.attributes(),
        new HashMap<>());
  }

  private static Call product(
      engine cpu,
      memory.desc left,
      memory.desc right,
      memory.desc out,
      primitive_attr attributes,
      Map<Integer, memory> operands) {
    matmul.primitive_desc product =
        new matmul.primitive_desc(cpu, left, right, out, attributes, false);
    operands.put(DNNL_ARG_SRC, Call.operand(left, cpu));
    operands.put(DNNL_ARG_WEIGHTS, Call.operand(right, cpu));
    operands.put(DNNL_ARG_DST, Call.operand(out, cpu));
    return Call.of(
        new matmul(product), operands, product.scratchpad_desc(), cpu, product, attributes);
  }
}
