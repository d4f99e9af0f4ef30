package io.sirocco.kernel;

/**
 * The weight {@code [N, K]} of a linear layer, prepared by the {@link Kernels} that made it and
 * usable with those only. Immutable.
 */
public interface Weight {
  /** N: outputs. */
  int outputs();

  /** K: inputs. */
  int inputs();

  /**
   * Memory beyond the mapped file that preparing took, in bytes; 0 where products read the mapping.
   */
  long copiedBytes();
}
