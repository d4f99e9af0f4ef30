package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;

/** Brings the elements of a view, such as a transposed matrix, into order. */
final class StridedRows {
  private StridedRows() {}

  /** Rows of a vector or matrix, row-major, in memory of their own. */
  static ByteBuffer read(
      FileChannel channel, WeightFile.Entry entry, ElementType type, long from, int rows)
      throws IOException {
    int columns = entry.shape().size() == 1 ? 1 : Math.toIntExact(entry.shape().get(1));
    long rowStride = entry.strides().get(0) * type.bytes();
    long columnStride = entry.shape().size() == 1 ? 0 : entry.strides().get(1) * type.bytes();
    ByteBuffer ordered =
        ByteBuffer.allocateDirect(Math.multiplyExact(rows * columns, type.bytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    Window window = new Window(channel, entry);
    for (long row = from; row < from + rows; row++) {
      for (int column = 0; column < columns; column++) {
        long at = row * rowStride + column * columnStride;
        for (int i = 0; i < type.bytes(); i++) {
          ordered.put(window.at(at + i));
        }
      }
    }
    return ordered.flip();
  }

  /** The bytes of an entry, however many: a mapping of them that moves along. */
  private static final class Window {
    private static final long SIZE = 1L << 30;

    private final FileChannel channel;
    private final WeightFile.Entry entry;
    private ByteBuffer bytes = ByteBuffer.allocate(0);
    private long start;

    Window(FileChannel channel, WeightFile.Entry entry) {
      this.channel = channel;
      this.entry = entry;
    }

    byte at(long offset) throws IOException {
      if (offset < start || offset >= start + bytes.limit()) {
        start = offset / SIZE * SIZE;
        bytes =
            channel.map(
                MapMode.READ_ONLY, entry.offset() + start, Math.min(SIZE, entry.size() - start));
      }
      return bytes.get(Math.toIntExact(offset - start));
    }
  }
}
