package io.sirocco.model;

/** What a classifier's logits say, by {@link Labels.Kind}. */
public final class Scores {
  private Scores() {}

  /**
   * One score per label, in label-id order: softmax, sigmoids, or the values themselves. Computed
   * in double from the float logits.
   */
  public static double[] of(Labels.Kind kind, float[] logits) {
    return switch (kind) {
      case SINGLE_LABEL -> softmax(values(logits));
      case MULTI_LABEL, ONE_LABEL -> sigmoid(logits);
      case REGRESSION -> values(logits);
    };
  }

  /** The first of the largest. */
  public static int best(double[] scores) {
    int best = 0;
    for (int label = 1; label < scores.length; label++) {
      if (scores[label] > scores[best]) {
        best = label;
      }
    }
    return best;
  }

  /** {@code exp(logits[i]) / sum_j exp(logits[j])}. */
  public static double[] softmax(double[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (double logit : logits) {
      max = Math.max(max, logit);
    }
    double[] scores = new double[logits.length];
    double sum = 0;
    for (int label = 0; label < logits.length; label++) {
      scores[label] = StrictMath.exp(logits[label] - max);
      sum += scores[label];
    }
    for (int label = 0; label < scores.length; label++) {
      scores[label] /= sum;
    }
    return scores;
  }

  private static double[] sigmoid(float[] logits) {
    double[] scores = new double[logits.length];
    for (int label = 0; label < logits.length; label++) {
      scores[label] = 1 / (1 + StrictMath.exp(-(double) logits[label]));
    }
    return scores;
  }

  private static double[] values(float[] logits) {
    double[] values = new double[logits.length];
    for (int label = 0; label < logits.length; label++) {
      values[label] = logits[label];
    }
    return values;
  }
}
