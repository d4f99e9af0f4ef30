package io.sirocco.model;

import io.sirocco.kernel.LowRank;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Tokens {@code [from, from + count)} of a chunk, of rows that all have the same adapter or none.
 * Products do not care for the number of rows, so a row's bits do not depend on its run.
 */
record AdapterRun(Optional<Adapter> adapter, int from, int count) {

  /** The chunk's tokens in as few runs as its order allows; none if no row has an adapter. */
  static List<AdapterRun> of(BatchPlan.Chunk chunk) {
    List<AdapterRun> runs = new ArrayList<>();
    for (BatchPlan.Segment segment : chunk.segments()) {
      Optional<Adapter> adapter = segment.part().adapter();
      AdapterRun last = runs.isEmpty() ? new AdapterRun(adapter, 0, 0) : runs.get(runs.size() - 1);
      if (last.adapter.equals(adapter)) {
        runs.remove(last);
        runs.add(new AdapterRun(adapter, last.from, last.count + segment.length()));
      } else {
        runs.add(new AdapterRun(adapter, segment.offset(), segment.length()));
      }
    }
    boolean plain = runs.size() == 1 && runs.get(0).adapter.isEmpty();
    return plain ? List.of() : List.copyOf(runs);
  }

  Optional<LowRank> branch(int layer, Projection projection) {
    return adapter.flatMap(mine -> mine.branch(layer, projection));
  }
}
