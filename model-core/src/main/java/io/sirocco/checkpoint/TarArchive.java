package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The files of an uncompressed tar archive, and where in it their bytes are: read in place, never
 * unpacked. Names longer than a header has room for, and sizes of 8 GiB and more, come in the forms
 * of GNU tar and of pax.
 */
final class TarArchive {
  private static final int BLOCK = 512;
  private static final int SIZE_AT = 124;
  private static final int SIZE_LENGTH = 12;
  private static final int CHECKSUM_AT = 148;
  private static final int CHECKSUM_LENGTH = 8;
  private static final int TYPE_AT = 156;
  private static final int NAME_LENGTH = 100;

  /** Types of members that tell of the next one. */
  private static final String EXTENSIONS = "LKxg";

  /** More than any release has by far: each is an object here. */
  private static final int MAX_MEMBERS = 10_000;

  /** Of a header that only gives the next member's name or size. */
  private static final int MAX_EXTENSION = 1 << 16;

  private final Path archive;
  private final FileChannel channel;
  private final long fileSize;
  private final List<ReleaseFile> files = new ArrayList<>();
  private String longName = "";
  private long longSize = -1;

  private TarArchive(Path archive, FileChannel channel) throws IOException {
    this.archive = archive;
    this.channel = channel;
    this.fileSize = channel.size();
  }

  /**
   * The regular files, without the folders that they are in.
   *
   * @throws ModelException if it is no tar archive, or is damaged or cut off
   */
  static List<ReleaseFile> files(Path archive) {
    try (FileChannel channel = FileChannel.open(archive, StandardOpenOption.READ)) {
      TarArchive tar = new TarArchive(archive, channel);
      tar.read();
      return List.copyOf(tar.files);
    } catch (IOException e) {
      throw new ModelException(archive.toString(), "cannot be read: " + e, e);
    }
  }

  private void read() throws IOException {
    long at = 0;
    for (int members = 0; members < MAX_MEMBERS; members++) {
      byte[] header = bytes(at, BLOCK);
      if (isBlank(header)) {
        return;
      }
      requireChecksum(at, header);
      boolean ofNext = EXTENSIONS.indexOf(header[TYPE_AT]) >= 0;
      long own = number(at, header, SIZE_AT, SIZE_LENGTH);
      long size = ofNext || longSize < 0 ? own : longSize;
      if (size < 0 || size > fileSize - at - BLOCK) {
        throw damaged(at, "a member of " + size + " bytes goes beyond the archive's end");
      }
      member(at, header, size);
      long next = at + BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
      if (next >= fileSize) {
        // Some writers leave out the blank blocks at the end.
        return;
      }
      at = next;
    }
    throw new ModelException(archive.toString(), "has more than " + MAX_MEMBERS + " members");
  }

  private void member(long at, byte[] header, long size) throws IOException {
    switch (header[TYPE_AT]) {
      case 'L' -> longName = text(bytes(at + BLOCK, extension(at, size)));
      case 'x' ->
          pax(at, new String(bytes(at + BLOCK, extension(at, size)), StandardCharsets.UTF_8));
      case 'g', 'K' -> {
        // Defaults that no release needs, and the targets of links.
      }
      case '0', 0, '7' -> {
        String name = longName.isEmpty() ? text(header).substring(0, nameEnd(header)) : longName;
        files.add(
            new ReleaseFile(name.substring(name.lastIndexOf('/') + 1), archive, at + BLOCK, size));
        forget();
      }
      case 'S' -> throw damaged(at, "a sparse member, which has to be unpacked first");
      default -> forget();
    }
  }

  private void forget() {
    longName = "";
    longSize = -1;
  }

  private int extension(long at, long size) {
    if (size > MAX_EXTENSION) {
      throw damaged(at, "a name or an attribute of " + size + " bytes");
    }
    return (int) size;
  }

  /** Records "LENGTH KEY=VALUE\n", of which the name and the size matter. */
  private void pax(long at, String records) {
    for (String line : records.split("\n", -1)) {
      String record = line.substring(line.indexOf(' ') + 1);
      if (record.startsWith("path=")) {
        longName = record.substring("path=".length());
      } else if (record.startsWith("size=")) {
        try {
          longSize = Long.parseLong(record.substring("size=".length()));
        } catch (NumberFormatException e) {
          throw damaged(at, "an attribute " + record);
        }
      } else if (record.startsWith("GNU.sparse")) {
        throw damaged(at, "a sparse member, which has to be unpacked first");
      }
    }
  }

  private static int nameEnd(byte[] header) {
    return Math.min(NAME_LENGTH, text(header).length());
  }

  /** Up to the first zero. */
  private static String text(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    int end = text.indexOf(0);
    return end < 0 ? text : text.substring(0, end);
  }

  /** Octal digits, or, where the first bit is set, a binary number with the highest byte first. */
  private long number(long at, byte[] header, int from, int length) {
    long value = 0;
    if (header[from] < 0) {
      for (int i = from + length - Long.BYTES; i < from + length; i++) {
        value = value << Byte.SIZE | (header[i] & 0xff);
      }
      return value;
    }
    for (int i = from; i < from + length; i++) {
      int digit = header[i] - '0';
      if (digit >= 0 && digit < 8) {
        value = value * 8 + digit;
      } else if (header[i] != ' ' && header[i] != 0) {
        throw damaged(at, "a number of other than octal digits");
      }
    }
    return value;
  }

  private void requireChecksum(long at, byte[] header) {
    long sum = 0;
    for (int i = 0; i < BLOCK; i++) {
      boolean own = i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_LENGTH;
      sum += own ? ' ' : header[i] & 0xff;
    }
    if (header[CHECKSUM_AT] < 0 || sum != number(at, header, CHECKSUM_AT, CHECKSUM_LENGTH)) {
      throw damaged(at, "a header whose checksum is wrong");
    }
  }

  private static boolean isBlank(byte[] header) {
    for (byte value : header) {
      if (value != 0) {
        return false;
      }
    }
    return true;
  }

  private byte[] bytes(long at, int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, at + bytes.position()) < 0) {
        throw damaged(at, "its end in the middle of a header");
      }
    }
    return bytes.array();
  }

  private ModelException damaged(long at, String problem) {
    return new ModelException(
        archive + ", byte " + at,
        "has "
            + problem
            + "; expected an uncompressed tar archive, as Mistral publishes it: unpack it, and"
            + " convert the folder");
  }
}
