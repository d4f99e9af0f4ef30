package io.sirocco.sampling;

/**
 * What turns logits into log-probabilities: {@code log p = (logit - max) - logSum}, in float as the
 * reference's log_softmax.
 *
 * @param max largest logit
 * @param logSum {@code ln Σ exp(logit - max)}
 */
public record LogNormalizer(float max, float logSum) {

  /**
   * Of a row of logits. Taken from the model's own logits, before any processor, it gives the
   * log-probabilities that results report: those of the model's own distribution, not of the one
   * that was sampled.
   */
  public static LogNormalizer of(float[] logits) {
    return of(logits, logits.length);
  }

  static LogNormalizer of(float[] logits, int count) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      max = Math.max(max, logits[i]);
    }
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += FloatMath.exp(logits[i] - max);
    }
    return new LogNormalizer(max, (float) StrictMath.log(sum));
  }

  /** Of the id that has this logit. */
  public float logProbability(float logit) {
    return (logit - max) - logSum;
  }
}
