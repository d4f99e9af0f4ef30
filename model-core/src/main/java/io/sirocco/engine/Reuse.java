package io.sirocco.engine;

import java.io.Serializable;
import java.util.Objects;

/**
 * What an engine does once though several rows need it. No bit of an answer depends on it.
 *
 * @param answerBytes heap for answers that are kept for equal rows to come; rows that wait or are
 *     computed answer equal ones without it. 0: equal rows are computed each for itself
 * @param beginning what many rows begin with: its keys and values are computed once
 */
public record Reuse(long answerBytes, Beginning beginning) implements Serializable {

  /** About 40,000 rows of 300 tokens. */
  public static final long DEFAULT_ANSWER_BYTES = 64L << 20;

  /** Everything is computed for each row anew. */
  public static final Reuse NONE = new Reuse(0, new Beginning.Unknown());

  public Reuse {
    Objects.requireNonNull(beginning, "beginning");
    if (answerBytes < 0) {
      throw new IllegalArgumentException("answerBytes " + answerBytes);
    }
  }

  /** The same with so much heap for answers. */
  public Reuse withAnswers(long bytes) {
    return new Reuse(bytes, beginning);
  }

  /** The same with another beginning. */
  public Reuse withBeginning(Beginning other) {
    return new Reuse(answerBytes, other);
  }
}
