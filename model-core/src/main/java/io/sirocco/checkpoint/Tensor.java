package io.sirocco.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * A named weight of a checkpoint: rank 1 or 2, row-major, read-only, mapped from its file and not
 * copied, unless {@link #copiedBytes} says so. A tensor above 2 GiB consists of several mappings,
 * cut between rows.
 */
public final class Tensor {
  private final String name;
  private final ElementType type;
  private final List<Long> shape;
  private final boolean copied;
  private final Supplier<List<ByteBuffer>> source;
  private volatile List<ByteBuffer> slabs = List.of();

  /** {@code slabs}: whole rows each, all but the last of equal size. */
  Tensor(String name, ElementType type, List<Long> shape, List<ByteBuffer> slabs) {
    this(name, type, shape, false, () -> slabs);
    slabs();
  }

  private Tensor(
      String name,
      ElementType type,
      List<Long> shape,
      boolean copied,
      Supplier<List<ByteBuffer>> source) {
    this.name = name;
    this.type = type;
    this.shape = List.copyOf(shape);
    this.copied = copied;
    this.source = source;
  }

  /** One whose elements are copied when they are first needed: plans need none. */
  static Tensor copied(
      String name, ElementType type, List<Long> shape, Supplier<List<ByteBuffer>> copy) {
    return new Tensor(name, type, shape, true, copy);
  }

  /** The name by Hugging Face's convention, whatever prefix the file has. */
  public String name() {
    return name;
  }

  public ElementType type() {
    return type;
  }

  /** One or two dimensions; for a linear layer {@code [outputs, inputs]}. */
  public List<Long> shape() {
    return shape;
  }

  /** First dimension. */
  public int rows() {
    return Math.toIntExact(shape.get(0));
  }

  /** Second dimension; 1 for a vector. */
  public int columns() {
    return shape.size() == 1 ? 1 : Math.toIntExact(shape.get(1));
  }

  /** Bytes of all elements. */
  public long bytes() {
    return rows() * rowBytes();
  }

  /** Of this process's own memory, once the elements are needed; 0 where they are mapped. */
  public long copiedBytes() {
    return copied ? bytes() : 0;
  }

  /**
   * The mappings, in order: each a read-only little-endian view of whole rows, at most 2 GiB. The
   * views must stay reachable while native code uses their addresses.
   */
  public List<ByteBuffer> slabs() {
    if (slabs.isEmpty()) {
      fill();
    }
    return slabs;
  }

  private synchronized void fill() {
    if (slabs.isEmpty()) {
      slabs =
          source.get().stream()
              .map(slab -> slab.asReadOnlyBuffer().slice().order(ByteOrder.LITTLE_ENDIAN))
              .toList();
    }
  }

  /**
   * Widens row {@code row}, exactly, into the first {@link #columns} places of {@code into}.
   *
   * @throws IndexOutOfBoundsException if there is no such row
   */
  public void readRow(int row, float[] into) {
    Objects.checkIndex(row, rows());
    List<ByteBuffer> all = slabs();
    int rowsPerSlab = Math.toIntExact(all.get(0).remaining() / rowBytes());
    ByteBuffer slab = all.get(row / rowsPerSlab);
    int columns = columns();
    int start = Math.toIntExact(row % rowsPerSlab * rowBytes());
    switch (type) {
      case F32 ->
          slab.slice(start, Math.toIntExact(rowBytes()))
              .order(ByteOrder.LITTLE_ENDIAN)
              .asFloatBuffer()
              .get(into, 0, columns);
      case BF16 -> {
        for (int column = 0; column < columns; column++) {
          into[column] = Float.intBitsToFloat(slab.getShort(start + 2 * column) << 16);
        }
      }
      case F16 -> {
        for (int column = 0; column < columns; column++) {
          into[column] = Float16.toFloat(slab.getShort(start + 2 * column));
        }
      }
    }
  }

  private long rowBytes() {
    return (long) columns() * type.bytes();
  }
}
