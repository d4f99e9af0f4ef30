package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import io.sirocco.checkpoint.ElementType;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;

/** Builds passes that bring elements into another type, rounded to nearest even. */
final class Conversions {
  /** {@code out[i] = x[i]}, of so many elements one after the other. */
  record Shape(ElementType x, ElementType out, long elements) {}

  private Conversions() {}

  static Call call(engine cpu, Shape shape) {
    memory from = operand(cpu, shape.x(), shape.elements());
    memory to = operand(cpu, shape.out(), shape.elements());
    primitive_attr attributes = Call.attributes();
    reorder.primitive_desc pass = new reorder.primitive_desc(from, to, attributes, false);
    Map<Integer, memory> operands = new HashMap<>();
    operands.put(DNNL_ARG_SRC, from);
    operands.put(DNNL_ARG_DST, to);
    return Call.of(new reorder(pass), operands, pass.scratchpad_desc(), cpu, pass, attributes);
  }

  private static memory operand(engine cpu, ElementType type, long elements) {
    return Call.operand(Descriptors.rowMajor(type, 1, elements, elements), cpu);
  }
}
