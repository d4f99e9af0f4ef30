package io.sirocco.sampling;

import java.util.ArrayList;
import java.util.List;

/** One step of a beam search: from the running beams' logits to the candidates, in order. */
final class BeamExpansion {
  private final BeamSearch search;
  private final float[][] logits;
  private final int vocabularySize;
  private final LogNormalizer[] normalizers;

  /** [beams][vocabulary] sums of processed log-probabilities. */
  private final float[][] sums;

  BeamExpansion(BeamSearch search, float[][] logits) {
    this.search = search;
    this.logits = logits;
    this.vocabularySize = logits[0].length;
    Math.multiplyExact(search.scores().length, vocabularySize);
    this.normalizers = new LogNormalizer[logits.length];
    this.sums = search.context().workspace().rows(search.scores().length, vocabularySize);
  }

  List<BeamCandidate> candidates() {
    for (int beam = 0; beam < logits.length; beam++) {
      normalizers[beam] = LogNormalizer.of(logits[beam]);
      for (int id = 0; id < vocabularySize; id++) {
        sums[beam][id] = normalizers[beam].logProbability(logits[beam][id]);
      }
      int[] ids = search.running(beam).ids();
      search.processors().apply(ids, ids.length, sums[beam]);
    }
    addScores();
    int ends = search.settings().eosTokenIds().size();
    int count = Math.max(2, 1 + ends) * search.settings().numBeams();
    List<BeamCandidate> candidates = new ArrayList<>();
    for (int flat : search.settings().doSample() ? drawn(count) : best(count)) {
      candidates.add(candidate(flat));
    }
    return candidates;
  }

  /** Before the first step all beams are the prompt, and only the first has a score. */
  private void addScores() {
    float[] scores = search.scores();
    for (int beam = scores.length - 1; beam >= 0; beam--) {
      float[] from = sums[Math.min(beam, logits.length - 1)];
      for (int id = 0; id < vocabularySize; id++) {
        sums[beam][id] = from[id] + scores[beam];
      }
    }
  }

  private BeamCandidate candidate(int flat) {
    int token = flat % vocabularySize;
    int beam = flat / vocabularySize;
    int parent = Math.min(beam, logits.length - 1);
    Beam from = search.running(parent);
    StopStrings.Cursor behind = from.cursor().next(token);
    float logProbability = normalizers[parent].logProbability(logits[parent][token]);
    return new BeamCandidate(
        parent,
        from,
        token,
        behind,
        sums[beam][token],
        logProbability,
        search.finishOf(token, behind));
  }

  private int[] best(int count) {
    TopRanks top = search.context().workspace().top();
    top.begin(count);
    for (int beam = 0; beam < search.scores().length; beam++) {
      float[] row = sums[beam];
      for (int id = 0; id < vocabularySize; id++) {
        if (row[id] != Float.NEGATIVE_INFINITY) {
          top.offer(TopRanks.earlierFirst(row[id], beam * vocabularySize + id));
        }
      }
    }
    long[] ranks = top.descending();
    int[] best = new int[ranks.length];
    for (int at = 0; at < best.length; at++) {
      best[at] = TopRanks.positionOf(ranks[at]);
    }
    return best;
  }

  /**
   * Draws one after the other from what is left, each with its own random number. Where nothing of
   * any probability is left the best of the rest follow.
   */
  private int[] drawn(int count) {
    Candidates candidates = search.context().workspace().candidates();
    candidates.clear();
    for (int beam = 0; beam < search.scores().length; beam++) {
      candidates.collect(sums[beam], beam * vocabularySize);
    }
    candidates.computeProbabilities();
    TokenChoice.requireDistribution(candidates);
    int[] drawn = new int[Math.min(count, candidates.count())];
    for (int draw = 0; draw < drawn.length; draw++) {
      double uniform = search.context().draws().at(draw, search.generated());
      drawn[draw] = candidates.take(uniform);
    }
    return drawn;
  }
}
