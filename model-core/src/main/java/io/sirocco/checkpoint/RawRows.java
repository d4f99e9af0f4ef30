package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the rows of a {@link RawTensor} in bands, with as much memory as a band takes: parts are
 * joined and rows brought into order on the way. One thread at a time.
 */
public final class RawRows implements AutoCloseable {
  /** Read at once, unless a row is longer. */
  public static final int BAND = 8 << 20;

  private static final long MAX_ROW = 1L << 28;

  private final RawTensor tensor;
  private final int rowBytes;
  private final List<FileChannel> channels = new ArrayList<>();
  private ByteBuffer scratch = ByteBuffer.allocate(0);

  private RawRows(RawTensor tensor) {
    this.tensor = tensor;
    if (tensor.rowBytes() > MAX_ROW || tensor.rows() > Integer.MAX_VALUE) {
      throw new ModelException(
          tensor.where(), "has shape " + tensor.shape() + ", beyond what is supported");
    }
    this.rowBytes = Math.toIntExact(tensor.rowBytes());
  }

  /** Opens the files. */
  public static RawRows open(RawTensor tensor) {
    RawRows rows = new RawRows(tensor);
    try {
      for (RawTensor.Part part : tensor.parts()) {
        rows.channels.add(FileChannel.open(part.container(), StandardOpenOption.READ));
      }
      return rows;
    } catch (IOException e) {
      rows.close();
      throw new ModelException(tensor.where(), "cannot be opened: " + e, e);
    }
  }

  /**
   * All rows, in memory of their own: buffers of at most {@code slabRows} rows each.
   *
   * @throws ModelException if there is not so much memory
   */
  static List<ByteBuffer> copyOf(RawTensor tensor, long slabRows) {
    List<ByteBuffer> slabs = new ArrayList<>();
    try (RawRows rows = open(tensor)) {
      int all = Math.toIntExact(tensor.rows());
      int band = rows.bandRows();
      int perSlab = (int) Math.min(all, Math.max(1, slabRows / band) * band);
      for (int from = 0; from < all; from += perSlab) {
        int end = Math.min(all, from + perSlab);
        ByteBuffer slab =
            ByteBuffer.allocateDirect(Math.toIntExact((end - from) * tensor.rowBytes()));
        for (int row = from; row < end; row += band) {
          rows.read(row, Math.min(band, end - row), slab);
        }
        slabs.add(slab.flip());
      }
      return slabs;
    } catch (OutOfMemoryError e) {
      throw new ModelException(
          tensor.where(),
          "is copied to bring its rows into order, for which there is no memory"
              + " (-XX:MaxDirectMemorySize); convert the release, and open the result",
          e);
    }
  }

  /** How many rows are best read at once: whole heads where their rows change places. */
  public int bandRows() {
    int rows = Math.max(1, BAND / rowBytes);
    int head = tensor.order().headDim();
    return head > 0 && head <= rows ? rows / head * head : rows;
  }

  /**
   * Puts rows {@code [from, from + rows)} into {@code into}, in the release's type.
   *
   * @throws ModelException if the files end before, or parts that should be equal are not
   */
  public void read(int from, int rows, ByteBuffer into) {
    try {
      int head = tensor.order().headDim();
      if (head == 0) {
        joined(from, rows, into);
      } else if (from % head == 0 && rows % head == 0) {
        permuted(from, rows, into);
      } else {
        for (int row = from; row < from + rows; row++) {
          joined(Math.toIntExact(tensor.order().rawRow(row)), 1, into);
        }
      }
    } catch (IOException e) {
      throw new ModelException(tensor.where(), "cannot be read: " + e, e);
    }
  }

  /** Whole heads: read in their order, handed on in the other. */
  private void permuted(int from, int rows, ByteBuffer into) throws IOException {
    ByteBuffer read = scratch(Math.multiplyExact(rows, rowBytes));
    joined(from, rows, read);
    for (int row = from; row < from + rows; row++) {
      int at = Math.toIntExact(tensor.order().rawRow(row) - from) * rowBytes;
      into.put(read.slice(at, rowBytes));
    }
  }

  private void joined(int from, int rows, ByteBuffer into) throws IOException {
    switch (tensor.joined()) {
      case BY_ROWS -> {
        int perPart = Math.toIntExact(tensor.rows() / tensor.parts().size());
        for (int row = from; row < from + rows; ) {
          int part = row / perPart;
          int count = Math.min(from + rows, (part + 1) * perPart) - row;
          part(part, row % perPart, count, into);
          row += count;
        }
      }
      case BY_COLUMNS -> columns(from, rows, into);
      case REPLICATED -> {
        int start = into.position();
        part(0, from, rows, into);
        ByteBuffer first = into.duplicate().position(start).limit(into.position());
        for (int part = 1; part < tensor.parts().size(); part++) {
          ByteBuffer other = ByteBuffer.allocate(first.remaining());
          part(part, from, rows, other);
          if (!other.flip().equals(first.slice())) {
            throw new ModelException(
                tensor.parts().get(part).shown() + ": tensor " + tensor.rawName(),
                "differs from that of the first part, expected the same in all");
          }
        }
      }
    }
  }

  private void columns(int from, int rows, ByteBuffer into) throws IOException {
    int parts = tensor.parts().size();
    if (parts == 1) {
      part(0, from, rows, into);
      return;
    }
    int pieceBytes = rowBytes / parts;
    int start = into.position();
    ByteBuffer pieces = scratch(rows * pieceBytes);
    for (int part = 0; part < parts; part++) {
      part(part, from, rows, pieces.clear().limit(rows * pieceBytes));
      for (int row = 0; row < rows; row++) {
        into.position(start + row * rowBytes + part * pieceBytes);
        into.put(pieces.slice(row * pieceBytes, pieceBytes));
      }
    }
    into.position(start + rows * rowBytes);
  }

  /** Rows of a part, as they are in its file. */
  private void part(int index, int from, int rows, ByteBuffer into) throws IOException {
    RawTensor.Part part = tensor.parts().get(index);
    WeightFile.Entry entry = part.entry();
    if (!entry.isRowMajor()) {
      String where = part.shown() + ": tensor " + tensor.rawName();
      into.put(StridedRows.read(where, channels.get(index), entry, tensor.type(), from, rows));
      return;
    }
    long columns = entry.shape().size() == 1 ? 1 : entry.shape().get(1);
    long bytes = columns * tensor.type().bytes();
    int limit = into.limit();
    into.limit(into.position() + Math.toIntExact(rows * bytes));
    for (long at = entry.offset() + from * bytes; into.hasRemaining(); ) {
      int read = channels.get(index).read(into, at);
      if (read < 0) {
        throw new ModelException(
            part.shown() + ": tensor " + tensor.rawName(),
            "is cut off at byte " + at + ", where the file ends");
      }
      at += read;
    }
    into.limit(limit);
  }

  /** On the heap, as every tensor has its own: the collector frees it in time. */
  private ByteBuffer scratch(int bytes) {
    if (scratch.capacity() < bytes) {
      scratch = ByteBuffer.allocate(bytes);
    }
    return scratch.clear().limit(bytes);
  }

  @Override
  public void close() {
    for (FileChannel channel : channels) {
      try {
        channel.close();
      } catch (IOException e) {
        throw new ModelException(tensor.where(), "cannot be closed: " + e, e);
      }
    }
  }
}
