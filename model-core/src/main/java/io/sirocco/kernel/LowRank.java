package io.sirocco.kernel;

/**
 * What an adapter adds to a linear layer's product, {@code scaling · B[N,R] · A[R,K]}, prepared by
 * the {@link Kernels} that made it and usable with those only: in F32 whatever the precision, in
 * memory that those kernels own. Immutable.
 */
public interface LowRank {
  /** N: outputs. */
  int outputs();

  /** K: inputs. */
  int inputs();
}
