package io.sirocco.sampling;

/** The next token from processed scores. */
public final class TokenChoice {
  private TokenChoice() {}

  /** The id of the first largest score; not-a-number counts as larger than any, as in torch. */
  public static int greedy(float[] scores) {
    int best = 0;
    for (int id = 0; id < scores.length; id++) {
      if (Float.isNaN(scores[id])) {
        return id;
      }
      if (scores[id] > scores[best]) {
        best = id;
      }
    }
    return best;
  }

  /**
   * The id at which, in ascending order of id, the accumulated probabilities exceed {@code
   * uniform}; probabilities are the softmax of the scores, in float, their sum is kept in double.
   *
   * @param uniform in [0, 1), from {@link UniformDraws}
   * @throws GenerationException if the scores give no distribution: one is not a number or plus
   *     infinity, or all are minus infinity
   */
  public static int sample(float[] scores, double uniform, SamplingWorkspace workspace) {
    Candidates candidates = workspace.candidates();
    candidates.clear();
    candidates.collect(scores, 0);
    candidates.computeProbabilities();
    requireDistribution(candidates);
    return candidates.id(candidates.find(uniform));
  }

  static void requireDistribution(Candidates candidates) {
    if (!candidates.hasProbabilities()) {
      throw new GenerationException(
          candidates.count() == 0
              ? "no token can follow: every score is minus infinity; some setting forbids all ids"
              : "a token's score is not a number or infinite, so that none can be drawn; the"
                  + " model's weights or exponential_decay_length_penalty are the usual causes");
    }
  }
}
