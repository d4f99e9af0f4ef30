package io.sirocco.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/**
 * Tokens' texts in a row, some characters stripped from the start of the whole.
 *
 * <p>A run of byte tokens is UTF-8 as a whole or not at all: one bad byte turns all of them, valid
 * characters included, into U+FFFD. So nothing of a run is certain before it ends.
 */
final class SentencePieceStream implements StreamDecoder {
  private final TokenTexts texts;
  private final StringBuilder text = new StringBuilder();
  private final ByteArrayOutputStream run = new ByteArrayOutputStream();
  private final String stripped;
  private int toStrip;

  /** At most {@code toStrip} times, the character {@code stripped} is cut off at the start. */
  SentencePieceStream(TokenTexts texts, String stripped, int toStrip) {
    this.texts = texts;
    this.stripped = stripped;
    this.toStrip = stripped.isEmpty() ? 0 : toStrip;
  }

  @Override
  public void accept(String name) {
    String piece = texts.replaced(name);
    OptionalInt single = texts.fallbackByte(piece);
    if (single.isPresent()) {
      run.write(single.getAsInt());
    } else {
      finish();
      append(piece);
    }
  }

  @Override
  public void finish() {
    if (run.size() > 0) {
      append(runText());
      run.reset();
    }
  }

  @Override
  public boolean isOpen() {
    return run.size() > 0;
  }

  @Override
  public StringBuilder text() {
    return text;
  }

  private String runText() {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(run.toByteArray()))
          .toString();
    } catch (CharacterCodingException e) {
      return "\uFFFD".repeat(run.size());
    }
  }

  private void append(String piece) {
    int start = 0;
    while (toStrip > 0 && start < piece.length()) {
      if (!piece.startsWith(stripped, start)) {
        toStrip = 0;
      } else {
        start += stripped.length();
        toStrip--;
      }
    }
    text.append(piece, start, piece.length());
  }
}
