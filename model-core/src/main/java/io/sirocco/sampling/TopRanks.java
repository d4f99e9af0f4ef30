package io.sirocco.sampling;

import java.util.Arrays;

/**
 * The largest of many ranks. A rank orders a score first, its position second; scores as the
 * reference's sort does: not-a-number above all, both zeros equal.
 */
final class TopRanks {
  private static final int SIGN_MASK = 0x7fffffff;

  /** A heap, least at the root. */
  private long[] heap = {};

  private int capacity;
  private int size;

  /** Of equal scores the later position ranks higher, as at the end of a stable ascending sort. */
  static long laterFirst(float score, int position) {
    return ((long) order(score) << Integer.SIZE) | position;
  }

  /** Of equal scores the earlier position ranks higher. */
  static long earlierFirst(float score, int position) {
    return ((long) order(score) << Integer.SIZE) | (Integer.MAX_VALUE - position);
  }

  /** What {@link #earlierFirst} was given. */
  static int positionOf(long earlierFirst) {
    return Integer.MAX_VALUE - (int) earlierFirst;
  }

  private static int order(float score) {
    int bits = Float.floatToIntBits(score + 0f);
    return bits >= 0 ? bits : bits ^ SIGN_MASK;
  }

  /** Forgets all, and from now on keeps the {@code most} largest. */
  void begin(int most) {
    capacity = most;
    size = 0;
    if (heap.length < most) {
      heap = new long[most];
    }
  }

  void offer(long rank) {
    if (size < capacity) {
      int at = size++;
      while (at > 0 && heap[(at - 1) / 2] > rank) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
      }
      heap[at] = rank;
    } else if (rank > heap[0]) {
      sinkFromRoot(rank);
    }
  }

  private void sinkFromRoot(long rank) {
    int at = 0;
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= rank) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = rank;
  }

  /** The least of those kept. */
  long least() {
    return heap[0];
  }

  /** Those kept, largest first. */
  long[] descending() {
    long[] ranks = Arrays.copyOf(heap, size);
    Arrays.sort(ranks);
    for (int low = 0, high = size - 1; low < high; low++, high--) {
      long swapped = ranks[low];
      ranks[low] = ranks[high];
      ranks[high] = swapped;
    }
    return ranks;
  }
}
