package io.sirocco.kernel.onednn;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.NativeMemory;
import io.sirocco.kernel.Precision;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.util.MemoryUtil;

/**
 * Prepares weights: in place where oneDNN multiplies their type, else as a converted copy that this
 * process holds. In float32 any type is read in place; in bfloat16 only bfloat16 is.
 */
final class WeightStore implements AutoCloseable {
  private final Precision precision;
  private final BufferAllocator allocator;
  private final List<ArrowBuf> copies = new ArrayList<>();

  WeightStore(Precision precision, BufferAllocator allocator) {
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
        ArrowBuf copy = toBfloat16(tensor, firstRow, rows);
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

  /** In Java, as it happens once: oneDNN has no conversion from F16 to BF16. */
  private ArrowBuf toBfloat16(Tensor tensor, int firstRow, int rows) {
    ArrowBuf copy =
        NativeMemory.allocate(allocator, (long) rows * tensor.columns() * ElementType.BF16.bytes());
    copies.add(copy);
    Matrix target = new Matrix(copy.memoryAddress(), ElementType.BF16, rows, tensor.columns(), 0);
    float[] values = new float[tensor.columns()];
    for (int row = 0; row < rows; row++) {
      tensor.readRow(firstRow + row, values);
      target.writeRow(row, values);
    }
    return copy;
  }

  @Override
  public void close() {
    copies.forEach(ArrowBuf::close);
    copies.clear();
  }
}
