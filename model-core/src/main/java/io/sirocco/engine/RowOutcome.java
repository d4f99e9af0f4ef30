package io.sirocco.engine;

import java.util.OptionalInt;

/** What a caller gets back for one row: always one of these, never an exception. */
public sealed interface RowOutcome {

  /** Tokens of the row, special tokens included, before truncation; empty if it was not counted. */
  OptionalInt tokenCount();

  /** The row's logits, in label-id order. */
  @SuppressWarnings("ArrayRecordComponent") // a result, never compared
  record Scored(float[] logits, OptionalInt tokenCount, boolean truncated) implements RowOutcome {}

  /** No logits, and why. */
  record Failed(RowErrorCode code, String message, OptionalInt tokenCount) implements RowOutcome {}
}
