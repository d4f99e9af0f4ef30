package io.sirocco.convert;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Float16;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.kernel.BFloat16;
import java.nio.ByteBuffer;

/**
 * Numbers from one format to another, rounded to nearest, ties to even, as torch does; NaN stays
 * NaN. All buffers are little-endian.
 */
record Elements(String where, ElementType from, ElementType to) {
  private static final int HALF_SMALLEST_EXPONENT = -14;
  private static final int HALF_FRACTION_BITS = 10;

  /** From here on a number rounds to infinity. */
  private static final float HALF_OVERFLOW = 65_520f;

  /**
   * Converts what remains of {@code source} into {@code target}.
   *
   * @throws ModelException if a finite number would become infinite
   */
  void convert(ByteBuffer source, ByteBuffer target) {
    while (source.hasRemaining()) {
      float value =
          switch (from) {
            case F32 -> source.getFloat();
            case BF16 -> BFloat16.toFloat(source.getShort());
            case F16 -> Float16.toFloat(source.getShort());
          };
      switch (to) {
        case F32 -> target.putFloat(value);
        case BF16 -> target.putShort(finite(value, BFloat16.fromFloat(value)));
        case F16 -> target.putShort(half(value));
      }
    }
  }

  private short finite(float value, short rounded) {
    if (Float.isInfinite(BFloat16.toFloat(rounded)) && !Float.isInfinite(value)) {
      throw overflow(value);
    }
    return rounded;
  }

  private short half(float value) {
    if (Math.abs(value) >= HALF_OVERFLOW && !Float.isInfinite(value)) {
      throw overflow(value);
    }
    int sign = Float.floatToRawIntBits(value) >>> 16 & 0x8000;
    if (Float.isNaN(value)) {
      return (short) (sign | 0x7e00);
    }
    if (Float.isInfinite(value)) {
      return (short) (sign | 0x7c00);
    }
    float magnitude = Math.abs(value);
    int exponent = Math.max(HALF_SMALLEST_EXPONENT, Math.getExponent(magnitude));
    // In units of the half's last place, exactly; below the smallest exponent, subnormal ones.
    int units = (int) Math.rint(Math.scalb((double) magnitude, HALF_FRACTION_BITS - exponent));
    // The implicit leading one is the exponent's own lowest bit, and rounding up may carry into it.
    int bits = ((exponent - HALF_SMALLEST_EXPONENT) << HALF_FRACTION_BITS) + units;
    return (short) (sign | bits);
  }

  private ModelException overflow(float value) {
    return new ModelException(
        where,
        "holds "
            + value
            + ", which is beyond "
            + to
            + "; keep the release's own type, or take float32");
  }
}
