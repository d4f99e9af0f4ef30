package io.sirocco.sampling;

import java.io.Serializable;

/**
 * {@code exponential_decay_length_penalty}: after {@code start} new tokens the score of the
 * end-of-sequence ids grows by {@code |score| * (factor^tokens - 1)}.
 */
public record LengthDecay(int start, double factor) implements Serializable {
  @Override
  public String toString() {
    return "[" + start + ", " + factor + "]";
  }
}
