package io.sirocco.kernel.onednn;

import io.sirocco.kernel.NativeMemory;
import java.util.Optional;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;

/**
 * A piece of native memory that grows to the largest size asked for. Contents are lost on growth.
 */
final class Scratch implements AutoCloseable {
  private static final long GRANULE = 1 << 16;

  private final BufferAllocator allocator;
  private Optional<ArrowBuf> buffer = Optional.empty();

  Scratch(BufferAllocator allocator) {
    this.allocator = allocator;
  }

  /** The address of at least {@code bytes} bytes, valid until the next call. */
  long address(long bytes) {
    if (buffer.isEmpty() || buffer.get().capacity() < bytes) {
      close();
      buffer =
          Optional.of(NativeMemory.allocate(allocator, (bytes + GRANULE - 1) / GRANULE * GRANULE));
    }
    return buffer.get().memoryAddress();
  }

  @Override
  public void close() {
    buffer.ifPresent(ArrowBuf::close);
    buffer = Optional.empty();
  }
}
