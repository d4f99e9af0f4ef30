package io.sirocco.prepared;

import io.sirocco.kernel.NativeMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.util.MemoryUtil;

/** Prepared weights in this process's own memory, for as long as it lives. */
public final class PreparedMemory implements PreparedWeights {
  private final BufferAllocator allocator;
  private final List<ArrowBuf> buffers = new ArrayList<>();
  private long madeBytes;
  private long madeNanos;

  /** The allocator stays the caller's. */
  public PreparedMemory(BufferAllocator allocator) {
    this.allocator = allocator;
  }

  @Override
  public Bytes get(String name, long size, Maker maker) {
    long start = System.nanoTime();
    ArrowBuf buffer = NativeMemory.allocate(allocator, size);
    buffers.add(buffer);
    buffer.setZero(0, size);
    maker.make(view(buffer, size));
    madeNanos += System.nanoTime() - start;
    madeBytes += size;
    return new Bytes(buffer.memoryAddress(), buffer, size);
  }

  @Override
  public Made made() {
    return new Made(madeBytes, madeNanos * 1e-9);
  }

  static ByteBuffer view(ArrowBuf buffer, long size) {
    return MemoryUtil.directBuffer(buffer.memoryAddress(), Math.toIntExact(size))
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void close() {
    buffers.forEach(ArrowBuf::close);
    buffers.clear();
  }
}
