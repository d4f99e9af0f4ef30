package io.sirocco.sampling;

import java.util.Arrays;

/**
 * The ids that can still be drawn: those whose score is not minus infinity, in ascending order of
 * id. Removing ids shortens the list, so that what follows top-k is cheap however large the
 * vocabulary.
 */
final class Candidates {
  private int[] ids = {};
  private float[] scores = {};
  private float[] probabilities = {};
  private long[] ranks = {};
  private int count;

  /** Ids there are, candidates or not. */
  private int size;

  private final TopRanks top = new TopRanks();
  private final MassCut massCut = new MassCut();
  private final EqualScores equalScores = new EqualScores();

  /** Whether the candidate at a position stays. */
  @FunctionalInterface
  interface Keeping {
    boolean keeps(int position);
  }

  /** Begins with none. */
  void clear() {
    count = 0;
  }

  /** Adds those of {@code from}, with {@code firstId} added to their ids. */
  void collect(float[] from, int firstId) {
    reserve(count + from.length);
    size = firstId + from.length;
    for (int id = 0; id < from.length; id++) {
      float score = from[id];
      if (score != Float.NEGATIVE_INFINITY) {
        ids[count] = firstId + id;
        scores[count++] = score;
      }
    }
  }

  private void reserve(int most) {
    if (ids.length < most) {
      ids = Arrays.copyOf(ids, most);
      scores = Arrays.copyOf(scores, most);
      probabilities = Arrays.copyOf(probabilities, most);
      ranks = Arrays.copyOf(ranks, most);
    }
  }

  /** Writes the scores back; all other ids get minus infinity. */
  void spread(float[] into) {
    Arrays.fill(into, Float.NEGATIVE_INFINITY);
    for (int at = 0; at < count; at++) {
      into[ids[at]] = scores[at];
    }
  }

  int count() {
    return count;
  }

  int id(int position) {
    return ids[position];
  }

  float score(int position) {
    return scores[position];
  }

  float probability(int position) {
    return probabilities[position];
  }

  void divideScores(float by) {
    for (int at = 0; at < count; at++) {
      scores[at] /= by;
    }
  }

  void keep(Keeping keeping) {
    int kept = 0;
    for (int at = 0; at < count; at++) {
      if (keeping.keeps(at)) {
        ids[kept] = ids[at];
        scores[kept++] = scores[at];
      }
    }
    count = kept;
  }

  /** Softmax of the scores, in float; all not a number if a score is, or is plus infinity. */
  void computeProbabilities() {
    float max = Float.NEGATIVE_INFINITY;
    for (int at = 0; at < count; at++) {
      max = Math.max(max, scores[at]);
    }
    double sum = 0;
    for (int at = 0; at < count; at++) {
      probabilities[at] = FloatMath.exp(scores[at] - max);
      sum += probabilities[at];
    }
    float divisor = (float) sum;
    for (int at = 0; at < count; at++) {
      probabilities[at] /= divisor;
    }
  }

  /**
   * The position at which the accumulated probabilities exceed the part {@code uniform} of their
   * sum; the best one where the sum is 0.
   */
  int find(double uniform) {
    double mass = 0;
    for (int at = 0; at < count; at++) {
      mass += probabilities[at];
    }
    if (mass == 0) {
      return bestPosition(1);
    }
    double target = uniform * mass;
    double sum = 0;
    int last = 0;
    for (int at = 0; at < count; at++) {
      sum += probabilities[at];
      if (sum > target) {
        return at;
      }
      last = probabilities[at] > 0 ? at : last;
    }
    return last;
  }

  /** Finds an id as {@link #find} does and removes it; the probabilities of the others stay. */
  int take(double uniform) {
    int position = find(uniform);
    int id = ids[position];
    count--;
    System.arraycopy(ids, position + 1, ids, position, count - position);
    System.arraycopy(scores, position + 1, scores, position, count - position);
    System.arraycopy(probabilities, position + 1, probabilities, position, count - position);
    return id;
  }

  private int bestPosition(int k) {
    top.begin(k);
    for (int at = 0; at < k; at++) {
      top.offer(TopRanks.earlierFirst(scores[at], at));
    }
    float least = scores[TopRanks.positionOf(top.least())];
    for (int at = k; at < count; at++) {
      if (!(scores[at] <= least)) {
        top.offer(TopRanks.earlierFirst(scores[at], at));
        least = scores[TopRanks.positionOf(top.least())];
      }
    }
    return TopRanks.positionOf(top.least());
  }

  LogNormalizer normalizer() {
    return LogNormalizer.of(scores, count);
  }

  /** Whether the probabilities are numbers; if one is not, none is. */
  boolean hasProbabilities() {
    return count > 0 && !Float.isNaN(probabilities[0]);
  }

  /** The score of the {@code k}-th best; {@code k} is at most the count. */
  float bestScore(int k) {
    return scores[bestPosition(k)];
  }

  /**
   * Removes the least scores until the removed probabilities would exceed {@code mass}, but leaves
   * the {@code fewest} best. Of equal scores those stay that stay in the reference.
   */
  void cutLowest(float mass, int fewest) {
    rank(scores);
    long cut = massCut.firstAbove(ranks, probabilities, count, mass);
    long least = Math.min(cut, bestRank(fewest));
    float leastScore = scores[(int) least];
    int kept = 0;
    boolean cutsEqualScores = false;
    for (int at = 0; at < count; at++) {
      kept += ranks[at] >= least ? 1 : 0;
      cutsEqualScores |= ranks[at] < least && scores[at] == leastScore;
    }
    if (cutsEqualScores) {
      keepIds(equalScores.best(this, size, kept));
    } else {
      keep(at -> ranks[at] >= least);
    }
  }

  private void keepIds(int[] some) {
    Arrays.sort(some);
    keep(at -> Arrays.binarySearch(some, ids[at]) >= 0);
  }

  /**
   * Keeps those whose {@code distances} are at most that at which, in ascending order, the
   * probabilities exceed {@code mass}; but at least the {@code fewest} nearest.
   */
  void keepNearest(float[] distances, float mass, int fewest) {
    rank(distances);
    long cut = massCut.firstAbove(ranks, probabilities, count, mass);
    float farthest = distances[(int) cut];
    for (int at = 0; at < count; at++) {
      ranks[at] = -ranks[at];
    }
    long least = bestRank(fewest);
    keep(at -> distances[at] <= farthest || ranks[at] >= least);
  }

  /** Keeps what {@code keeping} does, and the {@code fewest} most probable. */
  void keepAlsoMostProbable(Keeping keeping, int fewest) {
    for (int at = 0; at < count; at++) {
      ranks[at] = TopRanks.earlierFirst(probabilities[at], at);
    }
    long least = bestRank(fewest);
    keep(at -> keeping.keeps(at) || ranks[at] >= least);
  }

  private void rank(float[] values) {
    for (int at = 0; at < count; at++) {
      ranks[at] = TopRanks.laterFirst(values[at], at);
    }
  }

  private long bestRank(int k) {
    top.begin(Math.min(k, count));
    for (int at = 0; at < count; at++) {
      top.offer(ranks[at]);
    }
    return top.least();
  }
}
