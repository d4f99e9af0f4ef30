package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_inference;
import static org.bytedeco.dnnl.global.dnnl.dnnl_rms_norm;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_scale;

import io.sirocco.checkpoint.ElementType;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.layer_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;

/** Builds the RMS norm, as oneDNN's layer normalisation without mean. */
final class RmsNorm {

  record Shape(int rows, int columns, ElementType out, float eps) {}

  private RmsNorm() {}

  static Call call(engine cpu, Shape shape) {
    memory.desc x =
        Descriptors.rowMajor(ElementType.F32, shape.rows(), shape.columns(), shape.columns());
    memory.desc out =
        Descriptors.rowMajor(shape.out(), shape.rows(), shape.columns(), shape.columns());
    memory.desc scale = Descriptors.strided(ElementType.F32, new long[] {shape.columns()}, 1);
    primitive_attr attributes = Call.attributes();
    layer_normalization_forward.primitive_desc norm =
        new layer_normalization_forward.primitive_desc(
            cpu,
            dnnl_forward_inference,
            x,
            out,
            shape.eps(),
            dnnl_use_scale | dnnl_rms_norm,
            attributes,
            false);
    Map<Integer, memory> operands = new HashMap<>();
    operands.put(DNNL_ARG_SRC, Call.operand(x, cpu));
    operands.put(DNNL_ARG_SCALE, Call.operand(scale, cpu));
    operands.put(DNNL_ARG_DST, Call.operand(out, cpu));
    return Call.of(
        new layer_normalization_forward(norm),
        operands,
        norm.scratchpad_desc(),
        cpu,
        norm,
        attributes);
  }
}
