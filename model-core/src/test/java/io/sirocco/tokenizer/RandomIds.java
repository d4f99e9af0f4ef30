package io.sirocco.tokenizer;

import java.util.Random;

/** Ids as no text has them: byte runs, broken characters, ids of no token. */
final class RandomIds {
  private RandomIds() {}

  /** {@code bytes} are ids of byte tokens, drawn in every second place. */
  static int[] draw(Random random, int vocabSize, int[] bytes) {
    int[] ids = new int[random.nextInt(24)];
    int kind = random.nextInt(3);
    for (int i = 0; i < ids.length; i++) {
      boolean fromBytes = random.nextInt(4) < kind + 1;
      ids[i] = fromBytes ? bytes[random.nextInt(bytes.length)] : random.nextInt(vocabSize + 3);
      ids[i] = random.nextInt(12) == 0 ? random.nextInt(4) : ids[i];
      if (fromBytes && i + 3 < ids.length && random.nextBoolean()) {
        // U+2581 and U+FFFD are the characters with a meaning of their own.
        int[] whole =
            random.nextBoolean() ? new int[] {0xE2, 0x96, 0x81} : new int[] {0xEF, 0xBF, 0xBD};
        for (int b : whole) {
          ids[i++] = bytes[b];
        }
        i--;
      }
    }
    return ids;
  }

  static String streamed(TokenStream stream, int[] ids) {
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append(stream.push(id));
    }
    return text.append(stream.flush()).toString();
  }
}
