package io.sirocco.kernel.onednn;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.NativeMemory;
import io.sirocco.kernel.Precision;
import io.sirocco.prepared.PreparedWeights;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.util.MemoryUtil;

/**
 * Prepares weights: in place where oneDNN multiplies their type, else as a converted copy that this
 * process holds. In float32 any type is read in place; in bfloat16 only bfloat16 is. Packed weights
 * are bfloat16, and kept where prepared weights are kept.
 */
final class WeightStore implements AutoCloseable {
  private final OneDnn library;
  private final Precision precision;
  private final BufferAllocator allocator;
  private final Optional<PreparedWeights> prepared;
  private final PackedLayouts layouts;
  private final List<ArrowBuf> copies = new ArrayList<>();

  WeightStore(
      OneDnn library,
      OpenMpTeam team,
      Precision precision,
      BufferAllocator allocator,
      Optional<PreparedWeights> prepared) {
    this.library = library;
    this.layouts = new PackedLayouts(team, (in, out) -> PackedLayout.bfloat16(library, in, out));
    this.precision = precision;
    this.allocator = allocator;
    this.prepared = prepared;
  }

  /** As the checkpoint has it, if oneDNN can multiply that. */
  OneDnnWeight stored(Tensor tensor) {
    boolean converts = converts(tensor);
    List<OneDnnWeight.Slab> slabs = new ArrayList<>();
    long copied = 0;
    int firstRow = 0;
    for (ByteBuffer mapped : tensor.slabs()) {
      int rows =
          Math.toIntExact(mapped.remaining() / ((long) tensor.columns() * tensor.type().bytes()));
      if (converts) {
        ArrowBuf copy = toBfloat16(tensor, firstRow, rows);
        copies.add(copy);
        copied += copy.capacity();
        slabs.add(new OneDnnWeight.Slab(firstRow, rows, copy.memoryAddress(), copy));
      } else {
        long address = MemoryUtil.getByteBufferAddress(mapped);
        slabs.add(new OneDnnWeight.Slab(firstRow, rows, address, mapped));
      }
      firstRow += rows;
    }
    ElementType type = converts ? ElementType.BF16 : tensor.type();
    return new OneDnnWeight(tensor.rows(), tensor.columns(), type, Optional.empty(), slabs, copied);
  }

  /** Packed where that is wanted and possible, else as {@link #stored}. */
  OneDnnWeight packed(Tensor tensor) {
    if (prepared.isEmpty() || precision == Precision.FLOAT32) {
      return stored(tensor);
    }
    PackedLayout layout = layouts.of(tensor.columns(), tensor.rows());
    if (layout.bytes() > Integer.MAX_VALUE || tensor.bytes() > Integer.MAX_VALUE) {
      return stored(tensor);
    }
    PreparedWeights.Bytes bytes =
        prepared
            .get()
            .get(
                tensor.name() + ".bfloat16-" + layout.name(),
                layout.bytes(),
                into -> pack(tensor, layout, into));
    HugePages.advise(bytes.address(), layout.bytes());
    return new OneDnnWeight(
        tensor.rows(),
        tensor.columns(),
        ElementType.BF16,
        Optional.of(layout),
        List.of(new OneDnnWeight.Slab(0, tensor.rows(), bytes.address(), bytes.owner())),
        bytes.ownBytes());
  }

  private void pack(Tensor tensor, PackedLayout layout, ByteBuffer into) {
    if (converts(tensor) || tensor.slabs().size() > 1) {
      try (ArrowBuf copy = toBfloat16(tensor, 0, tensor.rows())) {
        Packing.bfloat16(library.cpu(), tensor, copy.memoryAddress(), layout, into);
      }
    } else {
      long address = MemoryUtil.getByteBufferAddress(tensor.slabs().get(0));
      Packing.bfloat16(library.cpu(), tensor, address, layout, into);
    }
  }

  private boolean converts(Tensor tensor) {
    return precision != Precision.FLOAT32 && tensor.type() != ElementType.BF16;
  }

  /** In Java, as it happens once: oneDNN has no conversion from F16 to BF16. */
  private ArrowBuf toBfloat16(Tensor tensor, int firstRow, int rows) {
    ArrowBuf copy =
        NativeMemory.allocate(allocator, (long) rows * tensor.columns() * ElementType.BF16.bytes());
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
