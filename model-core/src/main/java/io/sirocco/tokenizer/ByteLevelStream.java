package io.sirocco.tokenizer;

import io.sirocco.tokenizer.convert.ByteLevelAlphabet;

/** All tokens' bytes, read as UTF-8. */
final class ByteLevelStream implements StreamDecoder {
  private final StringBuilder text = new StringBuilder();
  private final Utf8Decoder bytes = new Utf8Decoder(text);

  @Override
  public void accept(String name) {
    for (byte b : ByteLevelAlphabet.bytes(name)) {
      bytes.accept(b);
    }
  }

  @Override
  public void finish() {
    bytes.finish();
  }

  @Override
  public boolean isOpen() {
    return bytes.isOpen();
  }

  @Override
  public StringBuilder text() {
    return text;
  }
}
