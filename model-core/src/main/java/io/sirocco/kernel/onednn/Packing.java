package io.sirocco.kernel.onednn;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import java.nio.ByteBuffer;
import org.apache.arrow.memory.util.MemoryUtil;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;

/** Brings weights into a packed layout. */
final class Packing {
  private Packing() {}

  /** Memory at an address; owns nothing. */
  private static final class At extends Pointer {
    At(long target) {
      super((Pointer) null);
      address = target;
    }
  }

  /** {@code source}: the address of bfloat16 {@code [N, K]}, row-major. */
  static void bfloat16(
      engine cpu, Tensor tensor, long source, PackedLayout layout, ByteBuffer into) {
    reorder(
        cpu,
        Descriptors.transposed(ElementType.BF16, tensor.columns(), tensor.rows()),
        source,
        layout,
        MemoryUtil.getByteBufferAddress(into));
  }

  /** {@code source}: the address of int8 {@code [N, K]}, row-major. */
  static void int8(
      engine cpu, int inputs, int outputs, long source, PackedLayout layout, long target) {
    memory.desc plain =
        new memory.desc(new long[] {inputs, outputs}, memory.data_type.s8, new long[] {1, inputs});
    reorder(cpu, plain, source, layout, target);
  }

  private static void reorder(
      engine cpu, memory.desc plain, long source, PackedLayout layout, long target) {
    try (memory from = new memory(plain, cpu, new At(source));
        memory to = new memory(layout.layout(), cpu, new At(target));
        reorder packing = new reorder(from, to);
        stream execution = new stream(cpu)) {
      packing.execute(execution, from, to);
      execution._wait();
    }
  }
}
