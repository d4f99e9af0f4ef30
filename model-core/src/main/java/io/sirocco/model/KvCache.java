package io.sirocco.model;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.NativeMemory;
import io.sirocco.kernel.Precision;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Keys and values of one row in all layers: a ring of a fixed number of slots, position p in slot
 * {@code p mod slots}. A ring is as long as the sliding window, or as the row can get if that is
 * less, so it never holds more than later tokens may see.
 *
 * <p>Keys are stored rotated, at the row's own positions, which go on growing behind the window.
 * Query heads that share a key-value head share its entries.
 *
 * <p>The memory comes from the caller's allocator until {@link #close}. Not safe for concurrent
 * use.
 */
public final class KvCache implements AutoCloseable {
  private final Shape shape;
  private final BufferAllocator allocator;
  private final ArrowBuf buffer;
  private int length;

  /**
   * @param slots of the ring
   * @param rows slots and what attention reads behind them
   * @param columns key-value heads times head_dim
   * @param use of the cache
   */
  private record Shape(int layers, int slots, int rows, int columns, ElementType type, Use use) {

    static Shape of(MistralConfig config, Precision precision, int mostTokens) {
      int slots = Math.min(mostTokens, config.slidingWindow().orElse(Integer.MAX_VALUE));
      return new Shape(
          config.numHiddenLayers(),
          slots,
          AttentionBlocks.slotsFor(slots),
          Math.multiplyExact(config.numKeyValueHeads(), config.headDim()),
          precision.activation(),
          Use.ROW);
    }

    /** Rows read any part of a prefix, so nothing of it leaves the window. */
    static Shape ofPrefix(MistralConfig config, Precision precision, int tokens) {
      return new Shape(
          config.numHiddenLayers(),
          tokens,
          tokens,
          Math.multiplyExact(config.numKeyValueHeads(), config.headDim()),
          precision.activation(),
          Use.PREFIX);
    }

    long matrixBytes() {
      return Math.multiplyExact((long) rows, (long) columns * type.bytes());
    }

    long bytes() {
      return Math.multiplyExact(2L * layers, matrixBytes());
    }

    private Matrix matrix(ArrowBuf buffer, int index) {
      return new Matrix(buffer.memoryAddress() + index * matrixBytes(), type, rows, columns, 0);
    }
  }

  private enum Use {
    /** One row's, which attention may read in place. */
    ROW,
    /** Copied from; attention does not read it. */
    PREFIX
  }

  private KvCache(Shape shape, BufferAllocator allocator) {
    this.shape = shape;
    this.allocator = allocator;
    this.buffer = NativeMemory.allocate(allocator, shape.bytes());
  }

  /**
   * An empty cache for a row of at most {@code mostTokens} tokens.
   *
   * @throws org.apache.arrow.memory.OutOfMemoryException if the allocator's limit does not allow it
   */
  public static KvCache allocate(
      MistralConfig config, Precision precision, int mostTokens, BufferAllocator allocator) {
    if (mostTokens < 1) {
      throw new IllegalArgumentException("a row of " + mostTokens + " tokens");
    }
    KvCache cache = new KvCache(Shape.of(config, precision, mostTokens), allocator);
    // Slots that hold nothing yet are multiplied by probabilities of zero, which only a finite
    // value survives.
    cache.buffer.setZero(0, cache.shape.bytes());
    return cache;
  }

  /**
   * An empty cache for the first {@code tokens} tokens of many rows, which holds all of them
   * however short the sliding window is.
   *
   * @throws org.apache.arrow.memory.OutOfMemoryException if the allocator's limit does not allow it
   */
  static KvCache allocatePrefix(
      MistralConfig config, Precision precision, int tokens, BufferAllocator allocator) {
    return new KvCache(Shape.ofPrefix(config, precision, tokens), allocator);
  }

  /** Bytes that {@link #allocatePrefix} takes. */
  static long prefixBytes(MistralConfig config, Precision precision, int tokens) {
    return Shape.ofPrefix(config, precision, tokens).bytes();
  }

  /** Bytes that {@link #allocate} takes from the allocator. */
  public static long bytes(MistralConfig config, Precision precision, int mostTokens) {
    return Shape.of(config, precision, mostTokens).bytes();
  }

  /** Another cache with the same contents, for another continuation of the same tokens. */
  public KvCache copy() {
    KvCache copy = new KvCache(shape, allocator);
    copy.buffer.setZero(0, shape.bytes());
    copy.become(this);
    return copy;
  }

  /** Takes over the contents of {@code other}, a cache of the same shape. */
  public void become(KvCache other) {
    if (!shape.equals(other.shape)) {
      throw new IllegalArgumentException("a cache of " + other.shape + " for one of " + shape);
    }
    int used = Math.min(other.length, shape.slots());
    for (int layer = 0; layer < shape.layers(); layer++) {
      other.keys(layer).copyRows(0, used, keys(layer), 0);
      other.values(layer).copyRows(0, used, values(layer), 0);
    }
    length = other.length;
  }

  /**
   * Begins an empty cache with the first {@code tokens} tokens of a prefix, those that have left
   * the window left out.
   */
  public void begin(KvCache prefix, int tokens) {
    if (length > 0 || tokens > prefix.length) {
      throw new IllegalArgumentException(
          tokens + " of " + prefix.length + " tokens for a cache that holds " + length);
    }
    for (int layer = 0; layer < shape.layers(); layer++) {
      store(layer, tokens, prefix.keys(layer), prefix.values(layer), 0);
    }
    length = tokens;
  }

  /** Tokens seen so far, those that have left the window included. */
  public int length() {
    return length;
  }

  /** Memory held, which does not change with the row's length. */
  public long bytes() {
    return shape.bytes();
  }

  /** Whether the next {@code count} tokens can be stored where attention reads them. */
  boolean holdsInPlace(int count) {
    return shape.use() == Use.ROW && (count == 1 || length + count <= shape.slots());
  }

  /** {@code [rows, kvHeads·headDim]}, slot by slot. */
  Matrix keys(int layer) {
    return shape.matrix(buffer, 2 * layer);
  }

  /** As {@link #keys}. */
  Matrix values(int layer) {
    return shape.matrix(buffer, 2 * layer + 1);
  }

  int slot(int position) {
    return position % shape.slots();
  }

  /**
   * Slots that the token at {@code position} sees, once it is stored: the first ones of the ring.
   */
  int visibleSlots(int position) {
    return Math.min(position + 1, shape.slots());
  }

  /**
   * Copies what is cached of the positions {@code [firstPosition, end)} to rows 0, 1, ... of a
   * layer's {@code keys} and {@code values}; rows of positions that have left the ring stay as they
   * are.
   */
  void load(int layer, int firstPosition, int end, Matrix keys, Matrix values) {
    int position = Math.max(firstPosition, length - shape.slots());
    while (position < end) {
      int slot = slot(position);
      int count = Math.min(end - position, shape.slots() - slot);
      keys(layer).copyRows(slot, count, keys, position - firstPosition);
      values(layer).copyRows(slot, count, values, position - firstPosition);
      position += count;
    }
  }

  /**
   * Stores {@code count} new tokens of a layer, the last ones if not all have room.
   *
   * @param row of the first new token in {@code keys} and {@code values}
   */
  void store(int layer, int count, Matrix keys, Matrix values, int row) {
    int end = length + count;
    int position = Math.max(length, end - shape.slots());
    while (position < end) {
      int slot = slot(position);
      int some = Math.min(end - position, shape.slots() - slot);
      keys.copyRows(row + position - length, some, keys(layer), slot);
      values.copyRows(row + position - length, some, values(layer), slot);
      position += some;
    }
  }

  /** Counts tokens that have been stored in every layer. */
  void advance(int count) {
    length = Math.addExact(length, count);
  }

  @Override
  public void close() {
    buffer.close();
  }
}
