package io.sirocco.sampling;

import java.util.Arrays;

/**
 * The order in which the reference sorts a row of scores, equal ones included. torch sorts without
 * keeping the order of equal scores, with the introsort of GNU's C++ library: quicksort around the
 * median of three down to 16 elements, then insertion. Where top-p cuts through equal scores that
 * order decides which of them stay, so it is followed here, then only.
 *
 * <p>Rows made to make quicksort slow are sorted otherwise from a depth on, in bounded time; there
 * the reference, too, takes another algorithm, which is not followed.
 */
final class EqualScores {
  private static final int INSERTION_SIZE = 16;

  private float[] scores = {};
  private int[] ids = {};

  /**
   * The ids of the {@code most} best of a row, in no order.
   *
   * @param size ids a row has; those that are no candidates have the score minus infinity
   */
  int[] best(Candidates candidates, int size, int most) {
    if (scores.length < size) {
      scores = new float[size];
      ids = new int[size];
    }
    Arrays.fill(scores, 0, size, Float.NEGATIVE_INFINITY);
    for (int id = 0; id < size; id++) {
      ids[id] = id;
    }
    for (int at = 0; at < candidates.count(); at++) {
      scores[candidates.id(at)] = candidates.score(at);
    }
    int depth = 2 * (Integer.SIZE - 1 - Integer.numberOfLeadingZeros(size));
    quicksort(0, size, depth);
    insertAll(size);
    return Arrays.copyOfRange(ids, size - most, size);
  }

  private void quicksort(int from, int to, int depth) {
    int end = to;
    for (int left = depth; end - from > INSERTION_SIZE; left--) {
      if (left == 0) {
        sortStably(from, end);
        return;
      }
      int middle = from + (end - from) / 2;
      swap(from, median(from + 1, middle, end - 1));
      int cut = partition(from, end);
      quicksort(cut, end, left - 1);
      end = cut;
    }
  }

  private int median(int a, int b, int c) {
    if (scores[a] < scores[b]) {
      if (scores[b] < scores[c]) {
        return b;
      }
      return scores[a] < scores[c] ? c : a;
    }
    if (scores[a] < scores[c]) {
      return a;
    }
    return scores[b] < scores[c] ? c : b;
  }

  /** Around the first element; both sides stop at equal ones and exchange them. */
  private int partition(int from, int to) {
    float pivot = scores[from];
    int low = from + 1;
    int high = to;
    while (true) {
      while (scores[low] < pivot) {
        low++;
      }
      high--;
      while (pivot < scores[high]) {
        high--;
      }
      if (low >= high) {
        return low;
      }
      swap(low, high);
      low++;
    }
  }

  /** Every element is within a few places of its own; equal ones do not pass each other. */
  private void insertAll(int size) {
    for (int at = 1; at < size; at++) {
      float score = scores[at];
      int id = ids[at];
      int to = at;
      while (to > 0 && score < scores[to - 1]) {
        scores[to] = scores[to - 1];
        ids[to] = ids[to - 1];
        to--;
      }
      scores[to] = score;
      ids[to] = id;
    }
  }

  private void sortStably(int from, int to) {
    long[] ranks = new long[to - from];
    int[] before = Arrays.copyOfRange(ids, from, to);
    float[] values = Arrays.copyOfRange(scores, from, to);
    for (int at = 0; at < ranks.length; at++) {
      ranks[at] = TopRanks.laterFirst(values[at], at);
    }
    Arrays.sort(ranks);
    for (int at = 0; at < ranks.length; at++) {
      ids[from + at] = before[(int) ranks[at]];
      scores[from + at] = values[(int) ranks[at]];
    }
  }

  private void swap(int a, int b) {
    float score = scores[a];
    scores[a] = scores[b];
    scores[b] = score;
    int id = ids[a];
    ids[a] = ids[b];
    ids[b] = id;
  }
}
