package io.sirocco.kernel.onednn;

import java.util.HashMap;
import java.util.Map;

/** The packed layouts of a model's weights, found once for each size. */
final class PackedLayouts {
  private final Finder finder;
  private final OpenMpTeam team;
  private final Map<Size, PackedLayout> known = new HashMap<>();

  /** Asks oneDNN. */
  @FunctionalInterface
  interface Finder {
    PackedLayout find(int inputs, int outputs);
  }

  private record Size(int inputs, int outputs) {}

  PackedLayouts(OpenMpTeam team, Finder finder) {
    this.team = team;
    this.finder = finder;
  }

  /**
   * The layout for weights of that size; the calling thread may pack them afterwards. That is a
   * thread which opens the model and computes nothing later, so it gets a team here.
   */
  PackedLayout of(int inputs, int outputs) {
    team.another().employFor(Double.MAX_VALUE);
    return known.computeIfAbsent(new Size(inputs, outputs), size -> finder.find(inputs, outputs));
  }
}
