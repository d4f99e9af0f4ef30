package io.sirocco.kernel.onednn;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;

/**
 * Rough times on one core, to choose between one thread and the team, and between exact and rounded
 * shapes. Neither choice changes a result: no product here has a shape whose sums oneDNN shares out
 * among threads, see {@link LowRankProducts}.
 */
final class WorkEstimate {
  private static final double BFLOAT16_FLOPS = 200e9;
  private static final double INT8_OPERATIONS = 350e9;
  private static final double FLOAT32_FLOPS = 90e9;
  private static final double BYTES_PER_SECOND = 12e9;
  private static final double PACKED_BYTES_PER_SECOND = 7e9;

  /**
   * Rows of a product that oneDNN computes in one go over packed weights: their sums fill its
   * registers. While it waits for memory anyway, so many cost no more than fewer; it even reads
   * faster, by a fifth to a third over two rows.
   */
  static final int ONE_GO = 6;

  /** oneDNN has another path for a single row, with other last bits. */
  static final int LEAST = 2;

  /** A product this long is worth a call of its own for every number of rows. */
  private static final double WORTH_EXACT = 5e-3;

  private final double flops;

  WorkEstimate(Precision precision) {
    this.flops = precision == Precision.FLOAT32 ? FLOAT32_FLOPS : BFLOAT16_FLOPS;
  }

  /** Seconds of {@code [m,k] · [k,n]}. */
  double ofProduct(long m, long k, long n, ElementType weight) {
    return 2.0 * m * k * n / flops + (double) k * n * weight.bytes() / BYTES_PER_SECOND;
  }

  /** Seconds of {@code [m,k] · [k,n]} in int8. */
  double ofInt8Product(long m, long k, long n) {
    return 2.0 * m * k * n / INT8_OPERATIONS + (double) k * n / BYTES_PER_SECOND;
  }

  /**
   * Seconds of attention with so many multiplications a product, over keys and values of so many
   * bytes, which oneDNN packs anew before it multiplies them.
   */
  double ofAttention(long multiplications, long keyValueBytes) {
    return 4.0 * multiplications / flops + keyValueBytes / PACKED_BYTES_PER_SECOND;
  }

  /** Seconds of one pass over so many bytes. */
  double ofPass(long bytes) {
    return bytes / BYTES_PER_SECOND;
  }

  /**
   * Rows to compute for {@code x} and {@code out}: at least two, and {@code fewest} if slack
   * allows; for short operations rounded up, likewise, so that few shapes occur and their calls are
   * found made. Steps of an eighth of the next lower power of two cost 6 % on average.
   */
  int roundedRows(Matrix x, Matrix out, double seconds, int fewest) {
    int rows = x.rows();
    int slack = Math.min(x.slack(), out.slack());
    if (rows + slack < LEAST) {
      throw new IllegalArgumentException("a single row needs a row of slack behind it: " + x);
    }
    if (rows < fewest) {
      return Math.min(fewest, rows + slack);
    }
    if (seconds >= WORTH_EXACT) {
      return rows;
    }
    int step = Math.max(1, Integer.highestOneBit(rows) / 8);
    int rounded = (rows + step - 1) / step * step;
    return Math.min(rounded, rows + slack);
  }
}
