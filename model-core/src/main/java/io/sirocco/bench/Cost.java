package io.sirocco.bench;

/**
 * What a computation cannot do without.
 *
 * @param flop floating-point operations of its matrix products, with weights and of attention
 * @param bytes that it reads, at least
 */
public record Cost(double flop, double bytes) {

  /** The least time that it takes, by the roofline of both peaks; seconds. */
  double seconds(MachinePeaks.Rates peaks) {
    return Math.max(flop / peaks.flops(), bytes / peaks.bytesPerSecond());
  }
}
