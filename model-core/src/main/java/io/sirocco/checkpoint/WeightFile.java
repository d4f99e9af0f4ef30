package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A file of weights, of whatever format: which tensors it holds, and where in it they are.
 *
 * @param file it was read from
 * @param header what says so, as in the file
 * @param fileSize in bytes
 * @param entries the tensors, by their place in the file
 */
@SuppressWarnings("ArrayRecordComponent") // read once, never compared
record WeightFile(Path file, byte[] header, long fileSize, List<Entry> entries) {
  private static final byte[] ARCHIVE = {'P', 'K'};

  /**
   * A tensor.
   *
   * @param type as safetensors spell it
   * @param strides elements from one index of a dimension to the next
   * @param offset of the first byte, within the file
   * @param size in bytes, from the first element to the last: more than the elements take where
   *     they have gaps
   */
  record Entry(
      String name, String type, List<Long> shape, List<Long> strides, long offset, long size) {

    /** One whose elements follow one another, the last dimension fastest. */
    static Entry rowMajor(String name, String type, List<Long> shape, long offset, long size) {
      return new Entry(name, type, shape, rowMajorStrides(shape), offset, size);
    }

    /** The same in a file that has {@code bytes} more before it. */
    Entry movedBy(long bytes) {
      return new Entry(name, type, shape, strides, offset + bytes, size);
    }

    boolean isRowMajor() {
      List<Long> plain = rowMajorStrides(shape);
      for (int i = 0; i < shape.size(); i++) {
        // Nobody steps along a dimension of one.
        if (shape.get(i) > 1 && !strides.get(i).equals(plain.get(i))) {
          return false;
        }
      }
      return true;
    }

    private static List<Long> rowMajorStrides(List<Long> shape) {
      Long[] strides = new Long[shape.size()];
      long stride = 1;
      for (int i = shape.size() - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= Math.max(1, shape.get(i));
      }
      return List.of(strides);
    }
  }

  /** The tensors by name: a header may have a hundred thousand, too many to look for one by one. */
  Map<String, Entry> byName() {
    Map<String, Entry> byName = new HashMap<>();
    entries.forEach(entry -> byName.put(entry.name(), entry));
    return byName;
  }

  /**
   * Reads what a file says of its tensors; nothing of it is executed.
   *
   * @throws ModelException if it is damaged, or holds something other than tensors
   */
  static WeightFile read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return read(file, channel);
    }
  }

  /** As {@link #read(Path)}; {@code channel}: the file's bytes, wherever they are. */
  static WeightFile read(Path file, SeekableByteChannel channel) throws IOException {
    return isPickled(String.valueOf(file.getFileName()), channel)
        ? TorchFile.read(file, channel)
        : SafetensorsHeader.read(file, channel);
  }

  /** By its name; where an index names files otherwise, by how it begins: as archives do. */
  private static boolean isPickled(String name, SeekableByteChannel channel) throws IOException {
    if (name.endsWith(".safetensors") || name.endsWith(".bin") || name.endsWith(".pth")) {
      return !name.endsWith(".safetensors");
    }
    ByteBuffer begin = ByteBuffer.allocate(ARCHIVE.length);
    channel.position(0);
    while (begin.hasRemaining() && channel.read(begin) >= 0) {
      // read() may return less than asked for
    }
    return Arrays.equals(begin.array(), ARCHIVE);
  }
}
