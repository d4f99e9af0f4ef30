package io.sirocco.arrow;

import java.util.OptionalInt;

/**
 * How label scores become the result columns of {@link io.sirocco.engine.Task.Score}.
 *
 * @param topK labels kept in {@code probabilities}, the most probable first; 0 for all
 * @param logprobs whether to add the column {@code label_logprobs}
 */
public record ScoreOptions(int topK, boolean logprobs) implements ResultOptions {

  public ScoreOptions {
    if (topK < 0) {
      throw new IllegalArgumentException("topK " + topK);
    }
  }

  /** {@link #topK}, if it limits anything. */
  public OptionalInt limit() {
    return topK == 0 ? OptionalInt.empty() : OptionalInt.of(topK);
  }
}
