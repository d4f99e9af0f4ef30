package io.sirocco.kernel.onednn;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Weight;
import java.util.List;
import java.util.Optional;

/**
 * A weight as oneDNN reads it: the checkpoint's own rows, {@code [N, K]} row-major, described to
 * oneDNN as {@code [K, N]} column-major; or packed.
 *
 * @param type of all slabs
 * @param packed the layout of the only slab; empty where it is the checkpoint's
 * @param copiedBytes memory of this process that holds converted or packed slabs
 */
record OneDnnWeight(
    int outputs,
    int inputs,
    ElementType type,
    Optional<PackedLayout> packed,
    List<Slab> slabs,
    long copiedBytes)
    implements Weight {

  /**
   * Whole rows {@code [firstRow, firstRow + rows)} at one address.
   *
   * @param owner keeps the memory alive: the mapping, or the buffer of a converted slab
   */
  record Slab(int firstRow, int rows, long address, Object owner) {}

  OneDnnWeight {
    slabs = List.copyOf(slabs);
  }

  /** The only slab of a weight below 2 GiB. */
  Slab whole() {
    if (slabs.size() != 1) {
      throw new IllegalArgumentException(
          "a fused product on a weight above 2 GiB: [" + outputs + ", " + inputs + "]");
    }
    return slabs.get(0);
  }
}
