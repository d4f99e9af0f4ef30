package io.sirocco.sampling;

/**
 * The exponential as the processors need it: from plain double arithmetic, so that every machine
 * gives the same bits, and several times as fast as {@link StrictMath#exp}.
 */
final class FloatMath {
  private static final double LOG2_E = 1.4426950408889634;
  private static final double LN_2 = 0.6931471805599453;

  /** Adding and subtracting it rounds to an integer. */
  private static final double ROUNDER = 0x1.8p52;

  /** exp rounds to 0 below, as a float. */
  private static final float LEAST = -104;

  /** exp is infinite above, as a float. */
  private static final float MOST = 89;

  private static final int EXPONENT_BIAS = 1023;
  private static final int MANTISSA_BITS = 52;

  private FloatMath() {}

  /** {@code e^x}, within one unit in the last place of a float. */
  static float exp(float x) {
    if (x < LEAST) {
      return 0;
    }
    if (!(x <= MOST)) {
      return x > MOST ? Float.POSITIVE_INFINITY : Float.NaN;
    }
    double scaled = x * LOG2_E;
    double whole = (scaled + ROUNDER) - ROUNDER;
    double r = (scaled - whole) * LN_2;
    double power = 1.0 / 40320;
    power = power * r + 1.0 / 5040;
    power = power * r + 1.0 / 720;
    power = power * r + 1.0 / 120;
    power = power * r + 1.0 / 24;
    power = power * r + 1.0 / 6;
    power = power * r + 0.5;
    power = power * r + 1;
    power = power * r + 1;
    return (float)
        (power * Double.longBitsToDouble(((long) whole + EXPONENT_BIAS) << MANTISSA_BITS));
  }
}
