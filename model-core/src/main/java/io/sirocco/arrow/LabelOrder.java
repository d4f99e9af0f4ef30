package io.sirocco.arrow;

import java.util.Comparator;
import java.util.stream.IntStream;

/** Labels, by number, in the order in which people want them. */
final class LabelOrder {
  private LabelOrder() {}

  /** The first {@code limit} labels by falling score, equal ones by number. */
  static int[] byScore(double[] scores, int limit) {
    return IntStream.range(0, scores.length)
        .boxed()
        .sorted(Comparator.comparing((Integer label) -> -scores[label]))
        .limit(limit)
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
