package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Precision;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.util.MemoryUtil;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;

/**
 * Prepares weights: in place where oneDNN multiplies their type, else as a converted copy that this
 * process holds. In float32 any type is read in place; in bfloat16 only bfloat16 is.
 */
final class WeightStore implements AutoCloseable {
  private final engine cpu;
  private final stream execution;
  private final Precision precision;
  private final BufferAllocator allocator;
  private final List<ArrowBuf> copies = new ArrayList<>();

  WeightStore(engine cpu, stream execution, Precision precision, BufferAllocator allocator) {
    this.cpu = cpu;
    this.execution = execution;
    this.precision = precision;
    this.allocator = allocator;
  }

  OneDnnWeight prepare(Tensor tensor) {
    boolean converts = precision == Precision.BFLOAT16 && tensor.type() != ElementType.BF16;
    List<OneDnnWeight.Slab> slabs = new ArrayList<>();
    long copied = 0;
    int firstRow = 0;
    for (ByteBuffer mapped : tensor.slabs()) {
      int rows =
          Math.toIntExact(mapped.remaining() / ((long) tensor.columns() * tensor.type().bytes()));
      if (converts) {
        ArrowBuf copy = toBfloat16(mapped, tensor.type(), rows, tensor.columns());
        copied += copy.capacity();
        slabs.add(new OneDnnWeight.Slab(firstRow, rows, copy.memoryAddress(), copy));
      } else {
        long address = MemoryUtil.getByteBufferAddress(mapped);
        slabs.add(new OneDnnWeight.Slab(firstRow, rows, address, mapped));
      }
      firstRow += rows;
    }
    ElementType type = converts ? ElementType.BF16 : tensor.type();
    return new OneDnnWeight(tensor.rows(), tensor.columns(), type, slabs, copied);
  }

  private ArrowBuf toBfloat16(ByteBuffer mapped, ElementType from, int rows, int columns) {
    ArrowBuf copy = allocator.buffer((long) rows * columns * ElementType.BF16.bytes());
    copies.add(copy);
    try (memory.desc source = Descriptors.rowMajor(from, rows, columns, columns);
        memory.desc target = Descriptors.rowMajor(ElementType.BF16, rows, columns, columns);
        memory mappedMemory = Call.operand(source, cpu);
        memory copyMemory = Call.operand(target, cpu);
        reorder.primitive_desc description = new reorder.primitive_desc(mappedMemory, copyMemory);
        Call call =
            new Call(
                new reorder(description),
                Map.of(
                    DNNL_ARG_FROM,
                    Call.operand(source, cpu),
                    DNNL_ARG_TO,
                    Call.operand(target, cpu)),
                0)) {
      call.bind(DNNL_ARG_FROM, MemoryUtil.getByteBufferAddress(mapped))
          .bind(DNNL_ARG_TO, copy.memoryAddress())
          .run(execution);
    }
    return copy;
  }

  @Override
  public void close() {
    copies.forEach(ArrowBuf::close);
    copies.clear();
  }
}
