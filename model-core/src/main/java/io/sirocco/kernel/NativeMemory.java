package io.sirocco.kernel;

import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.ForeignAllocation;
import org.apache.arrow.memory.util.MemoryUtil;

/**
 * Native memory that an Arrow allocator accounts for and limits, but does not allocate: Arrow's own
 * way, through Netty, rounds small buffers up to powers of two and cannot exceed the heap's size.
 */
public final class NativeMemory {
  /** A cache line, and what the widest vector loads want. */
  private static final int ALIGNMENT = 64;

  private NativeMemory() {}

  /**
   * A buffer of {@code bytes} bytes, aligned to a cache line, with undefined contents; the caller
   * closes it.
   *
   * @throws org.apache.arrow.memory.OutOfMemoryException if the allocator's limit does not allow it
   */
  public static ArrowBuf allocate(BufferAllocator allocator, long bytes) {
    long size = Math.max(bytes, 1);
    allocator.assertOpen();
    if (allocator.getHeadroom() < size) {
      throw new org.apache.arrow.memory.OutOfMemoryException(
          "%d bytes wanted, %s has %d of %d left"
              .formatted(size, allocator.getName(), allocator.getHeadroom(), allocator.getLimit()));
    }
    long raw = MemoryUtil.allocateMemory(Math.addExact(size, ALIGNMENT));
    long aligned = (raw + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    try {
      return allocator.wrapForeignAllocation(new Owned(size, aligned, raw));
    } catch (RuntimeException e) {
      MemoryUtil.freeMemory(raw);
      throw e;
    }
  }

  private static final class Owned extends ForeignAllocation {
    private final long raw;

    Owned(long size, long address, long raw) {
      super(size, address);
      this.raw = raw;
    }

    @Override
    protected void release0() {
      MemoryUtil.freeMemory(raw);
    }
  }
}
