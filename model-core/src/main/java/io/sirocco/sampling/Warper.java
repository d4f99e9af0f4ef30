package io.sirocco.sampling;

/**
 * Narrows or reshapes the distribution that is sampled. None removes anything from a distribution
 * that is not a number.
 */
@FunctionalInterface
interface Warper {
  void apply(Candidates candidates);

  /** temperature. */
  record Temperature(float temperature) implements Warper {
    @Override
    public void apply(Candidates candidates) {
      candidates.divideScores(temperature);
    }
  }

  /** top_k: the k best, and those equal to the last of them. */
  record TopK(int k) implements Warper {
    @Override
    public void apply(Candidates candidates) {
      if (candidates.count() > k) {
        float last = candidates.bestScore(k);
        candidates.keep(at -> !(candidates.score(at) < last));
      }
    }
  }

  /** top_p: the best that together have the probability p, the one that crosses it included. */
  record TopP(double p, int fewest) implements Warper {
    @Override
    public void apply(Candidates candidates) {
      candidates.computeProbabilities();
      if (candidates.hasProbabilities()) {
        candidates.cutLowest((float) (1 - p), fewest);
      }
    }
  }

  /** min_p: those at least p times as probable as the best. */
  record MinP(float p, int fewest) implements Warper {
    @Override
    public void apply(Candidates candidates) {
      candidates.computeProbabilities();
      if (!candidates.hasProbabilities()) {
        return;
      }
      float best = 0;
      for (int at = 0; at < candidates.count(); at++) {
        best = Math.max(best, candidates.probability(at));
      }
      float least = p * best;
      candidates.keepAlsoMostProbable(at -> candidates.probability(at) >= least, fewest);
    }
  }

  /** typical_p: those whose information is nearest to the entropy, until their mass is reached. */
  record TypicalP(float mass, int fewest, SamplingWorkspace workspace) implements Warper {
    @Override
    public void apply(Candidates candidates) {
      candidates.computeProbabilities();
      if (!candidates.hasProbabilities()) {
        return;
      }
      LogNormalizer normalizer = candidates.normalizer();
      float entropy = entropy(candidates, normalizer);
      float[] distances = workspace.distances(candidates.count());
      for (int at = 0; at < candidates.count(); at++) {
        float information = -normalizer.logProbability(candidates.score(at));
        distances[at] = Math.abs(information - entropy);
      }
      candidates.keepNearest(distances, Math.nextDown(mass), fewest);
    }
  }

  /** epsilon_cutoff, and eta_cutoff where the cutoff also depends on the entropy. */
  record Cutoff(float epsilon, Kind kind, int fewest) implements Warper {
    enum Kind {
      EPSILON,
      ETA
    }

    @Override
    public void apply(Candidates candidates) {
      candidates.computeProbabilities();
      if (!candidates.hasProbabilities()) {
        return;
      }
      float cutoff = kind == Kind.ETA ? eta(candidates) : epsilon;
      float best = candidates.bestScore(Math.min(fewest, candidates.count()));
      candidates.keep(at -> candidates.probability(at) >= cutoff || candidates.score(at) >= best);
    }

    private float eta(Candidates candidates) {
      float entropy = entropy(candidates, candidates.normalizer());
      return Math.min(epsilon, (float) StrictMath.sqrt(epsilon) * FloatMath.exp(-entropy));
    }
  }

  /** {@code -Σ p · ln p} of the probabilities last computed. */
  private static float entropy(Candidates candidates, LogNormalizer normalizer) {
    double sum = 0;
    for (int at = 0; at < candidates.count(); at++) {
      float probability = candidates.probability(at);
      if (probability > 0) {
        sum -= normalizer.logProbability(candidates.score(at)) * probability;
      }
    }
    return (float) sum;
  }
}
