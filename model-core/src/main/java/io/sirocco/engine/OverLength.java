package io.sirocco.engine;

/** What becomes of a row with more tokens than allowed. */
public enum OverLength {
  /** The row fails with {@link RowErrorCode#TOO_LONG}. */
  ERROR,
  /** Its last tokens are dropped; tokens that the tokenizer adds at the ends stay. */
  TRUNCATE_RIGHT,
  /** Its first tokens are dropped; tokens that the tokenizer adds at the ends stay. */
  TRUNCATE_LEFT
}
