package io.sirocco.tokenizer;

/**
 * Bytes to text as they come. What is no UTF-8 becomes one U+FFFD for each longest beginning of a
 * character that was broken off, as Rust does it; Java's own decoder takes a surrogate's three
 * bytes for one.
 */
final class Utf8Decoder {
  private static final char REPLACEMENT = '\uFFFD';

  private final StringBuilder out;
  private int codePoint;

  /** Continuation bytes that the character begun still needs. */
  private int missing;

  /** Range of the next continuation byte; narrower than 0x80 to 0xBF behind some first bytes. */
  private int low;

  private int high;

  /** Text is appended to {@code out}. */
  Utf8Decoder(StringBuilder out) {
    this.out = out;
  }

  /** Whether a character has begun and not ended. */
  boolean isOpen() {
    return missing > 0;
  }

  void accept(byte value) {
    int b = value & 0xFF;
    if (missing > 0 && b >= low && b <= high) {
      codePoint = codePoint << 6 | (b & 0x3F);
      missing--;
      low = 0x80;
      high = 0xBF;
      if (missing == 0) {
        out.appendCodePoint(codePoint);
      }
      return;
    }
    finish();
    begin(b);
  }

  /** What was begun ends here. */
  void finish() {
    if (missing > 0) {
      missing = 0;
      out.append(REPLACEMENT);
    }
  }

  private void begin(int b) {
    if (b < 0x80) {
      out.append((char) b);
    } else if (b < 0xC2 || b > 0xF4) {
      out.append(REPLACEMENT);
    } else {
      missing = b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
      codePoint = b & (0x3F >> missing);
      // Neither longer than needed, nor a surrogate, nor beyond U+10FFFF.
      low = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
      high = b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF;
    }
  }
}
