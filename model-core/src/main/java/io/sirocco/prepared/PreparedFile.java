package io.sirocco.prepared;

import io.sirocco.kernel.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.memory.util.MemoryUtil;

/**
 * A prepared weight in a file: its bytes, and behind them a line with their CRC32C, so that both
 * appear in one step.
 *
 * @param size of the weight in bytes
 */
record PreparedFile(Path path, long size) {
  static final String PARTIAL = ".partial";
  private static final String MARK = "CRC32C:";

  /** Bytes behind the weight's own: the mark, eight digits, a line feed. */
  static final int CHECKSUM_LINE = MARK.length() + 9;

  private static final int CHUNK = 1 << 20;

  /** Bytes of the whole file. */
  long fileSize() {
    return size + CHECKSUM_LINE;
  }

  boolean isComplete() throws IOException {
    try {
      return Files.isRegularFile(path) && Files.size(path) == fileSize();
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** Whether its bytes are those that were written; reads all of them. */
  boolean hasItsChecksum() throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      CRC32C crc = new CRC32C();
      ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
      for (long at = 0; at < size; ) {
        chunk.clear().limit((int) Math.min(CHUNK, size - at));
        int read = channel.read(chunk, at);
        if (read < 0) {
          return false;
        }
        crc.update(chunk.flip());
        at += read;
      }
      ByteBuffer line = ByteBuffer.allocate(CHECKSUM_LINE);
      while (line.hasRemaining() && channel.read(line, size + line.position()) >= 0) {
        // A read may give less than there is.
      }
      return line.flip().equals(checksumLine(crc));
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static ByteBuffer checksumLine(CRC32C crc) {
    String line = MARK + HexFormat.of().toHexDigits((int) crc.getValue()) + "\n";
    return ByteBuffer.wrap(line.getBytes(StandardCharsets.US_ASCII));
  }

  /** Empty if it has gone meanwhile: who finds it damaged removes it. */
  Optional<PreparedWeights.Bytes> map() throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, size);
      return Optional.of(
          new PreparedWeights.Bytes(MemoryUtil.getByteBufferAddress(mapped), mapped, 0));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /**
   * Written from memory, not through a mapping: on a full disk a write fails, where touching a
   * mapping would kill, and a writable mapping would count as this process's own until it is gone.
   */
  void make(PreparedWeights.Maker maker) throws IOException {
    Path partial = path.resolveSibling(path.getFileName() + PARTIAL);
    boolean made = false;
    try {
      write(partial, maker);
      Files.move(
          partial, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      made = true;
    } finally {
      if (!made) {
        Files.deleteIfExists(partial);
      }
    }
  }

  private void write(Path partial, PreparedWeights.Maker maker) throws IOException {
    try (BufferAllocator allocator = new RootAllocator();
        ArrowBuf memory = NativeMemory.allocate(allocator, size);
        FileChannel channel =
            FileChannel.open(
                partial,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
      memory.setZero(0, size);
      ByteBuffer bytes = PreparedMemory.view(memory, size);
      maker.make(bytes);
      CRC32C crc = new CRC32C();
      crc.update(bytes.clear());
      write(channel, bytes.clear());
      write(channel, checksumLine(crc));
      channel.force(true);
    }
  }

  private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
