package io.sirocco.arrow;

import java.util.OptionalInt;

/**
 * How logits become the result columns of {@link io.sirocco.engine.Task.Classify}.
 *
 * @param threshold smallest probability of a predicted label; multi-label models only
 * @param topK labels kept in {@code probabilities}, the most probable first; 0 for all
 * @param logits whether to add the column {@code logits}
 */
public record ClassifyOptions(double threshold, int topK, boolean logits) implements ResultOptions {

  public ClassifyOptions {
    if (!(threshold >= 0 && threshold <= 1) || topK < 0) {
      throw new IllegalArgumentException("threshold " + threshold + ", topK " + topK);
    }
  }

  /** {@link #topK}, if it limits anything. */
  public OptionalInt limit() {
    return topK == 0 ? OptionalInt.empty() : OptionalInt.of(topK);
  }
}
