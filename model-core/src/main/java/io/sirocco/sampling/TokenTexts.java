package io.sirocco.sampling;

/** What tokens look like in text. */
@FunctionalInterface
public interface TokenTexts {
  /**
   * The text of a token in the middle of a word, in UTF-8: a leading space kept, special tokens as
   * they are written, a part of a character as the bytes it has. Empty for ids that have none.
   */
  byte[] utf8(int id);
}
