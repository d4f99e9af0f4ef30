package io.sirocco.kernel.onednn;

import io.sirocco.checkpoint.ElementType;
import org.bytedeco.dnnl.memory;

/** Memory descriptors, in oneDNN's terms. */
final class Descriptors {
  private Descriptors() {}

  static memory.data_type type(ElementType type) {
    return switch (type) {
      case F32 -> memory.data_type.f32;
      case BF16 -> memory.data_type.bf16;
      case F16 -> memory.data_type.f16;
    };
  }

  /** {@code [rows, columns]}, row-major, rows {@code stride} elements apart. */
  static memory.desc rowMajor(ElementType type, long rows, long columns, long stride) {
    return strided(type, new long[] {rows, columns}, stride, 1);
  }

  /** {@code [inputs, outputs]} on memory that holds {@code [outputs, inputs]} row-major. */
  static memory.desc transposed(ElementType type, long inputs, long outputs) {
    return strided(type, new long[] {inputs, outputs}, 1, inputs);
  }

  static memory.desc strided(ElementType type, long[] dims, long... strides) {
    return new memory.desc(dims, type(type), strides);
  }
}
