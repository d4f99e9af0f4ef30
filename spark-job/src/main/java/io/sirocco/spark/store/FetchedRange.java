package io.sirocco.spark.store;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A part of a file that is here and safe.
 *
 * @param file its name
 * @param offset of its first byte
 * @param size in bytes
 * @param crc of its bytes, of the file's {@link CrcKind}
 */
record FetchedRange(String file, long offset, long size, int crc) {
  private static final Pattern LINE =
      Pattern.compile("([0-9]{1,18}) ([0-9]{1,18}) ([0-9a-f]{8}) (\\S+)");

  long end() {
    return offset + size;
  }

  String line() {
    return String.format("%d %d %08x %s\n", offset, size, crc, file);
  }

  /** Empty for what is no line of a journal, such as the last one of a process that was killed. */
  static Optional<FetchedRange> parse(String line) {
    Matcher parts = LINE.matcher(line);
    return parts.matches()
        ? Optional.of(
            new FetchedRange(
                parts.group(4),
                Long.parseLong(parts.group(1)),
                Long.parseLong(parts.group(2)),
                Integer.parseUnsignedInt(parts.group(3), 16)))
        : Optional.empty();
  }
}
