package io.sirocco.engine;

import io.sirocco.kernel.Precision;
import io.sirocco.model.KvCache;
import io.sirocco.model.MistralConfig;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;

/**
 * The memory for keys and values. A row reserves what all of its texts can come to need before it
 * starts, so a row that has started always ends: no row is ever thrown out for another one, which
 * would have to be computed anew, in other steps.
 */
final class KvBudget implements AutoCloseable {
  private final MistralConfig config;
  private final Precision precision;
  private final BufferAllocator allocator;
  private final long capacity;
  private long reserved;

  /** {@code capacity} bytes of {@code engine}'s memory, which must outlive this. */
  KvBudget(MistralConfig config, Precision precision, BufferAllocator engine, long capacity) {
    this.config = config;
    this.precision = precision;
    this.capacity = capacity;
    this.allocator = engine.newChildAllocator("kv-cache", 0, capacity);
  }

  long capacity() {
    return capacity;
  }

  /** Bytes of one cache for a row of at most so many tokens. */
  long bytes(int mostTokens) {
    return KvCache.bytes(config, precision, mostTokens);
  }

  boolean hasRoomFor(long bytes) {
    return bytes <= capacity - reserved;
  }

  void reserve(long bytes) {
    if (!hasRoomFor(bytes)) {
      throw new IllegalStateException(
          bytes + " bytes of KV cache reserved, " + (capacity - reserved) + " are left");
    }
    reserved += bytes;
  }

  void release(long bytes) {
    reserved -= bytes;
  }

  /** Bytes that caches take now; any thread may ask. */
  long allocated() {
    return allocator.getAllocatedMemory();
  }

  /** A cache, out of what has been reserved; the caller closes it. */
  KvCache allocate(int mostTokens) {
    return KvCache.allocate(config, precision, mostTokens, allocator);
  }

  /** What was reserved could not be had: no row is to blame. */
  EngineFailedException broken(OutOfMemoryException e) {
    return new EngineFailedException(
        "keys and values that were reserved (%d of %d bytes) are not there: %s"
            .formatted(reserved, capacity, e.getMessage()),
        e);
  }

  @Override
  public void close() {
    allocator.close();
  }
}
