package io.sirocco.engine;

import java.util.List;
import java.util.OptionalInt;

/** What a caller gets back for one row: always one of these, never an exception. */
public sealed interface RowOutcome {

  /** Tokens of the row, special tokens included, before truncation; empty if it was not counted. */
  OptionalInt tokenCount();

  /** The row's logits, in label-id order. */
  @SuppressWarnings("ArrayRecordComponent") // a result, never compared
  record Scored(float[] logits, OptionalInt tokenCount, boolean truncated) implements RowOutcome {}

  /** The row's embedding, as many elements as the task keeps. */
  @SuppressWarnings("ArrayRecordComponent") // a result, never compared
  record Embedded(float[] embedding, OptionalInt tokenCount, boolean truncated)
      implements RowOutcome {}

  /** The texts written for the row, in the order of their sample index; one at least. */
  record Generated(List<Generation> samples, OptionalInt tokenCount, boolean truncated)
      implements RowOutcome {
    public Generated {
      samples = List.copyOf(samples);
    }
  }

  /**
   * How probable each label is.
   *
   * @param logprobs of each label's tokens behind the prompt, natural logarithms, not normalised
   */
  @SuppressWarnings("ArrayRecordComponent") // a result, never compared
  record Labelled(List<String> labels, double[] logprobs, OptionalInt tokenCount, boolean truncated)
      implements RowOutcome {
    public Labelled {
      labels = List.copyOf(labels);
    }
  }

  /** No answer, and why. */
  record Failed(RowErrorCode code, String message, OptionalInt tokenCount) implements RowOutcome {}
}
