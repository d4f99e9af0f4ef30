package io.sirocco.tokenizer.convert;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * GPT-2's alphabet, one character for each byte: printable Latin-1 stands for itself, the other
 * bytes for U+0100 and up.
 */
public final class ByteLevelAlphabet {
  private static final char[] CHARACTERS = new char[256];

  /** Byte of each character up to U+0143, or -1. */
  private static final int[] BYTES = new int[0x144];

  static {
    Arrays.fill(BYTES, -1);
    int others = 0;
    for (int b = 0; b < 256; b++) {
      boolean itself =
          (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
      CHARACTERS[b] = (char) (itself ? b : 0x100 + others++);
      BYTES[CHARACTERS[b]] = b;
    }
  }

  private ByteLevelAlphabet() {}

  /** The character of byte {@code b}, 0 to 255. */
  public static char character(int b) {
    return CHARACTERS[b];
  }

  /**
   * The bytes that a token's name stands for. A name with a character outside the alphabet, as
   * added tokens may have, is plain text and stands for its UTF-8 form.
   */
  public static byte[] bytes(String name) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(name.length());
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c >= BYTES.length || BYTES[c] < 0) {
        return name.getBytes(StandardCharsets.UTF_8);
      }
      bytes.write(BYTES[c]);
    }
    return bytes.toByteArray();
  }
}
