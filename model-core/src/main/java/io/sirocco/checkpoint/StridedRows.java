package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;

/** Brings the elements of a view, such as a transposed matrix, into order. */
final class StridedRows {
  private StridedRows() {}

  /** As much of a file as one mapping may have; no weight of a Mistral is larger. */
  private static final long MAX_SPAN = Integer.MAX_VALUE;

  /**
   * Rows of a vector or matrix, row-major, in memory of their own.
   *
   * @throws ModelException if they are too many for that
   */
  static ByteBuffer read(
      String where,
      FileChannel channel,
      WeightFile.Entry entry,
      ElementType type,
      long from,
      int rows)
      throws IOException {
    if (entry.size() > MAX_SPAN) {
      throw new ModelException(
          where,
          "is a view whose elements lie over "
              + entry.size()
              + " bytes and not in order, expected at most "
              + MAX_SPAN
              + "; save it with contiguous()");
    }
    int columns = entry.shape().size() == 1 ? 1 : Math.toIntExact(entry.shape().get(1));
    long rowStride = entry.strides().get(0) * type.bytes();
    long columnStride = entry.shape().size() == 1 ? 0 : entry.strides().get(1) * type.bytes();
    try {
      ByteBuffer bytes = channel.map(MapMode.READ_ONLY, entry.offset(), entry.size());
      ByteBuffer ordered =
          ByteBuffer.allocateDirect(Math.multiplyExact(rows * columns, type.bytes()))
              .order(ByteOrder.LITTLE_ENDIAN);
      for (long row = from; row < from + rows; row++) {
        for (int column = 0; column < columns; column++) {
          int at = Math.toIntExact(row * rowStride + column * columnStride);
          for (int i = 0; i < type.bytes(); i++) {
            ordered.put(bytes.get(at + i));
          }
        }
      }
      return ordered.flip();
    } catch (OutOfMemoryError e) {
      throw new ModelException(
          where,
          "is a view whose elements are not in order; there is no memory to put them in order"
              + " (-XX:MaxDirectMemorySize); save it with contiguous()",
          e);
    }
  }
}
