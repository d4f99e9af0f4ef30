package io.sirocco.convert;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.RawRows;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;

/**
 * Writes a shard, and reads it back: with a few bands of rows in memory, whatever its size. Owns
 * its buffers; one thread at a time.
 */
final class ShardWriter {
  private ByteBuffer read = ByteBuffer.allocate(0);
  private ByteBuffer converted = ByteBuffer.allocate(0);

  /**
   * Writes the file, in place of what is there; {@link #verify} brings it to the disk.
   *
   * @param progress is told of the bytes of tensors as they are written
   * @return the CRC-32C of each tensor, in the order of the file
   */
  List<Long> write(Shard shard, Path file, LongConsumer progress) throws IOException {
    List<Long> checksums = new ArrayList<>();
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      drain(shard.header(), out);
      for (Shard.Weight weight : shard.weights()) {
        checksums.add(write(weight, out, progress));
      }
    }
    return checksums;
  }

  private long write(Shard.Weight weight, FileChannel out, LongConsumer progress)
      throws IOException {
    CRC32C checksum = new CRC32C();
    boolean converts = weight.type() != weight.raw().type();
    Elements elements = new Elements(weight.raw().where(), weight.raw().type(), weight.type());
    try (RawRows rows = RawRows.open(weight.raw())) {
      int all = Math.toIntExact(weight.raw().rows());
      int band = Math.min(all, rows.bandRows());
      int bytes = Math.toIntExact(band * weight.raw().rowBytes());
      for (int from = 0; from < all; from += band) {
        read = room(read, bytes);
        rows.read(from, Math.min(band, all - from), read);
        read.flip();
        ByteBuffer written = read;
        if (converts) {
          converted = room(converted, bytes / weight.raw().type().bytes() * weight.type().bytes());
          elements.convert(read, converted);
          written = converted.flip();
        }
        checksum.update(written.duplicate());
        progress.accept(written.remaining());
        drain(written, out);
      }
    }
    return checksum.getValue();
  }

  /**
   * Brings the file to the disk, and compares its header, size and tensors with what was written.
   * What is read may come from the page cache: this finds errors of programs, memory and file
   * systems, and those that a disk reports.
   *
   * @param progress is told of the bytes of tensors that were read so far
   * @throws ModelException naming the tensor that differs
   */
  void verify(Shard shard, Path file, List<Long> checksums, LongConsumer progress)
      throws IOException {
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
      in.force(true);
      if (in.size() != shard.fileBytes()) {
        throw damaged(file, "holds " + in.size() + " bytes, expected " + shard.fileBytes());
      }
      ByteBuffer header = shard.header();
      ByteBuffer found = ByteBuffer.allocate(header.remaining());
      fill(in, found, file);
      if (!found.flip().equals(header) || checksums.size() != shard.weights().size()) {
        throw damaged(file, "has another header than was written");
      }
      progress.accept(0);
      long read = 0;
      for (int i = 0; i < checksums.size(); i++) {
        if (checksum(shard.weights().get(i).bytes(), in, file) != checksums.get(i)) {
          throw damaged(
              file,
              "tensor " + shard.weights().get(i).raw().name() + " differs from what was written");
        }
        read += shard.weights().get(i).bytes();
        progress.accept(read);
      }
    }
  }

  private long checksum(long bytes, FileChannel in, Path file) throws IOException {
    CRC32C checksum = new CRC32C();
    for (long left = bytes; left > 0; ) {
      read = room(read, (int) Math.min(left, RawRows.BAND));
      left -= read.remaining();
      fill(in, read, file);
      checksum.update(read.flip());
    }
    return checksum.getValue();
  }

  private static void fill(FileChannel in, ByteBuffer into, Path file) throws IOException {
    while (into.hasRemaining()) {
      if (in.read(into) < 0) {
        throw damaged(file, "ended while it was read");
      }
    }
  }

  private static ModelException damaged(Path file, String problem) {
    return new ModelException(
        file.toString(), problem + "; the disk may be damaged: convert again, to another one");
  }

  /** The buffer or a larger one, with room for so many bytes. */
  private static ByteBuffer room(ByteBuffer buffer, int bytes) {
    ByteBuffer large =
        buffer.capacity() >= bytes
            ? buffer
            : ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    return large.clear().limit(bytes);
  }

  private static void drain(ByteBuffer bytes, FileChannel out) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
