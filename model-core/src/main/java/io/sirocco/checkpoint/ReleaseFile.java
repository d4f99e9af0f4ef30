package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * A file of a raw release: one of its own, or a part of a tar archive, read where it is.
 *
 * @param name without any folder
 * @param container the file itself, or the archive
 * @param offset of its first byte in the container
 * @param size in bytes
 */
record ReleaseFile(String name, Path container, long offset, long size) {

  /** For messages: of a file in an archive, as if the archive were a folder. */
  Path shown() {
    return name.equals(String.valueOf(container.getFileName()))
        ? container
        : container.resolve(name);
  }

  /** All of it; refused if it is more than {@code most}. */
  byte[] bytes(long most) {
    if (size > most) {
      throw new ModelException(
          shown().toString(), "holds " + size + " bytes, expected at most " + most);
    }
    try (FileChannel channel = FileChannel.open(container, StandardOpenOption.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate((int) size);
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, offset + bytes.position()) < 0) {
          throw new ModelException(shown().toString(), "is cut off");
        }
      }
      return bytes.array();
    } catch (IOException e) {
      throw new ModelException(shown().toString(), "cannot be read: " + e, e);
    }
  }

  /**
   * What it says of its tensors, their offsets counted in the container; nothing is executed.
   *
   * @throws ModelException as {@link WeightFile#read}
   */
  WeightFile weights() {
    try (FileChannel channel = FileChannel.open(container, StandardOpenOption.READ)) {
      WeightFile file = WeightFile.read(shown(), new ByteWindow(channel, offset, size));
      List<WeightFile.Entry> entries =
          file.entries().stream().map(entry -> entry.movedBy(offset)).toList();
      return new WeightFile(shown(), file.header(), size, entries);
    } catch (IOException e) {
      throw new ModelException(shown().toString(), "cannot be read: " + e, e);
    }
  }
}
