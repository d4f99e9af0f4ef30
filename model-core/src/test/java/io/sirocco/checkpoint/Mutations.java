package io.sirocco.checkpoint;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/** Random damage to a file: to its bytes, and to the values of the JSON in it. */
public final class Mutations {
  private static final Pattern VALUE =
      Pattern.compile("-?[0-9][-+.0-9eE]*|\"[^\"]{0,80}\"|null|true|false");
  private static final List<String> VALUES =
      List.of(
          "0",
          "1",
          "2",
          "-1",
          "3",
          "8",
          "16",
          "7.5",
          "1e9",
          "1e400",
          "-0",
          "1e-300",
          "2147483647",
          "2147483648",
          "4294967296",
          "9223372036854775807",
          "9223372036854775808",
          "-9223372036854775808",
          "null",
          "true",
          "[]",
          "{}",
          "[1,2]",
          "\"\"",
          "\"x\"",
          "\"1\"",
          "\"../x\"",
          "\"F32\"",
          "\"F16\"",
          "\"yarn\"",
          "\"dynamic\"",
          "\"longrope\"",
          "\"relu\"",
          "NaN",
          "[[[[[[",
          "\"\\u0000\"");

  private final Random random;

  /** The same seed gives the same mutations. */
  public Mutations(long seed) {
    this.random = new Random(seed);
  }

  /** One to three changes. */
  public byte[] of(byte[] original) {
    byte[] bytes = original;
    int changes = 1 + random.nextInt(3);
    for (int change = 0; change < changes && bytes.length > 0; change++) {
      bytes = random.nextInt(3) == 0 ? inBytes(bytes) : inValues(bytes);
    }
    return bytes;
  }

  /**
   * The same to the pickle of an archive that is otherwise as it was: most damage to the archive
   * itself hides it.
   */
  public byte[] ofPickleIn(byte[] archive) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(archive));
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        byte[] bytes = in.readAllBytes();
        store(zip, entry.getName(), entry.getName().endsWith(".pkl") ? of(bytes) : bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void store(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }

  private byte[] inBytes(byte[] bytes) {
    int at = random.nextInt(bytes.length);
    int count = Math.min(bytes.length - at, 1 + random.nextInt(8));
    return switch (random.nextInt(5)) {
      case 0 -> splice(bytes, 0, at, new byte[0], bytes.length); // cut off
      case 1 -> splice(bytes, 0, at, new byte[0], at + count); // removed
      case 2 -> splice(bytes, 0, at + count, new byte[0], at); // repeated
      case 3 -> splice(bytes, 0, at, new byte[] {(byte) random.nextInt()}, at + 1);
      default -> {
        byte[] flipped = bytes.clone();
        int early = random.nextInt(Math.min(bytes.length, 64));
        flipped[early] ^= (byte) (1 << random.nextInt(8));
        yield flipped;
      }
    };
  }

  private byte[] inValues(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    Matcher matcher = VALUE.matcher(text);
    List<int[]> found = new ArrayList<>();
    while (matcher.find() && found.size() < 1000) {
      found.add(new int[] {matcher.start(), matcher.end()});
    }
    if (found.isEmpty()) {
      return inBytes(bytes);
    }
    int[] place = found.get(random.nextInt(found.size()));
    byte[] value = VALUES.get(random.nextInt(VALUES.size())).getBytes(StandardCharsets.ISO_8859_1);
    return splice(bytes, 0, place[0], value, place[1]);
  }

  /** {@code bytes[from, to) + middle + bytes[rest, ...)}. */
  private static byte[] splice(byte[] bytes, int from, int to, byte[] middle, int rest) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length + middle.length);
    out.write(bytes, from, to - from);
    out.write(middle, 0, middle.length);
    out.write(bytes, rest, bytes.length - rest);
    return out.toByteArray();
  }
}
