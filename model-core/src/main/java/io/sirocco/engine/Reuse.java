package io.sirocco.engine;

import java.io.Serializable;

/**
 * What an engine does once though several rows need it. No answer depends on it.
 *
 * @param answerBytes heap for answers that are kept for equal rows to come; rows that wait or are
 *     computed answer equal ones without it. 0: equal rows are computed each for itself
 */
public record Reuse(long answerBytes) implements Serializable {

  /** About 50,000 rows of 300 tokens. */
  public static final long DEFAULT_ANSWER_BYTES = 64L << 20;

  /** Everything is computed for each row anew. */
  public static final Reuse NONE = new Reuse(0);

  public Reuse {
    if (answerBytes < 0) {
      throw new IllegalArgumentException("answerBytes " + answerBytes);
    }
  }
}
