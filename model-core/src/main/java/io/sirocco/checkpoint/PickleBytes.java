package io.sirocco.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A pickle's bytes, read once from the first to the last: instructions, and the numbers and texts
 * that stand in them.
 */
final class PickleBytes {
  private final String where;
  private final ByteBuffer pickle;
  private int at;

  /** {@code where} names the pickle in errors. */
  PickleBytes(String where, byte[] pickle) {
    this.where = where;
    this.pickle = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The next instruction: errors name its place until there is another. */
  int instruction() {
    at = pickle.position();
    return number(1);
  }

  /** An integer of one or two bytes, without sign. */
  int number(int bytes) {
    ByteBuffer little = need(bytes);
    return bytes == 1 ? little.get() & 0xff : little.getShort() & 0xffff;
  }

  /** Two's complement, the lowest byte first. */
  long longOf(int bytes) {
    if (bytes > Long.BYTES) {
      throw refused("an integer of " + bytes + " bytes, expected at most " + Long.BYTES);
    }
    ByteBuffer little = need(bytes);
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (little.get(i) & 0xffL) << (Byte.SIZE * i);
    }
    int unused = Long.SIZE - Byte.SIZE * bytes;
    return bytes == 0 ? 0 : value << unused >> unused;
  }

  /** A text of so many bytes of UTF-8. */
  String text(long bytes) {
    if (bytes < 0 || bytes > pickle.remaining()) {
      throw refused("a text of " + bytes + " bytes, where " + pickle.remaining() + " are left");
    }
    return StandardCharsets.UTF_8.decode(need((int) bytes)).toString();
  }

  /** A text that ends with its line. */
  String line() {
    int end = pickle.position();
    while (end < pickle.limit() && pickle.get(end) != '\n') {
      end++;
    }
    String line = text(end - pickle.position());
    need(1);
    return line;
  }

  /** The next bytes, little-endian, which are passed over. */
  ByteBuffer need(int bytes) {
    if (bytes > pickle.remaining()) {
      throw refused("the pickle ends in the middle");
    }
    ByteBuffer part = pickle.slice(pickle.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
    pickle.position(pickle.position() + bytes);
    return part;
  }

  /** To be thrown for what the last instruction asks for. */
  ModelException refused(String problem) {
    String shown = problem.length() <= 200 ? problem : problem.substring(0, 200) + "...";
    return new ModelException(
        where + ", byte " + at, shown + "; it is not read, and nothing in it was executed");
  }
}
