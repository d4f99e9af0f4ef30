package io.sirocco.kernel;

/**
 * Symmetric quantisation to 8 bits: {@code q = round(x · 127 / max|x|)}, one scale {@code max|x| /
 * 127} for a weight's output or a token's activations, so that {@code x ≈ q · scale}.
 */
public final class Int8 {
  /** The largest quantised magnitude; -128 is not used. */
  public static final int LARGEST = 127;

  private Int8() {}

  /** The scale of {@code values}: 0 if all are zero, not finite if one is not. */
  public static float scale(float[] values) {
    float largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value)); // NaN wins.
    }
    return largest / LARGEST;
  }

  /** {@code round(values / scale)}, ties to even; zeros where the scale is zero. */
  public static void quantize(float[] values, float scale, byte[] into) {
    float inverse = inverse(scale);
    for (int i = 0; i < values.length; i++) {
      into[i] = (byte) Math.rint(values[i] * inverse);
    }
  }

  /** What values are multiplied by; 0 for a scale of zero. */
  public static float inverse(float scale) {
    return scale == 0 ? 0 : 1 / scale;
  }
}
