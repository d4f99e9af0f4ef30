package io.sirocco.model;

import java.util.OptionalDouble;

/**
 * The frequencies of the rotary embedding, with the roundings of the reference: the exponent in
 * float, the power in double and rounded to float, its reciprocal in float; the angle is one float
 * product. More precise tables would differ from the reference's by up to 3e-3 far from the start.
 *
 * <p>Where a form depends on the length of what is computed together (dynamic, longrope), it is the
 * row's own length here, so that a row's result does not depend on its batch.
 */
public final class RotaryFrequencies {
  private final RopeParameters parameters;
  private final int headDim;
  private final int maxPositions;

  private RotaryFrequencies(RopeParameters parameters, int headDim, int maxPositions) {
    this.parameters = parameters;
    this.headDim = headDim;
    this.maxPositions = maxPositions;
  }

  /** The frequencies of a model. */
  public static RotaryFrequencies of(MistralConfig config) {
    return new RotaryFrequencies(config.rope(), config.headDim(), config.maxPositionEmbeddings());
  }

  /** {@code [headDim / 2]}, for a row of {@code rowLength} tokens. */
  public float[] inverseFrequencies(int rowLength) {
    RopeParameters.Scaling scaling = parameters.scaling();
    if (scaling instanceof RopeParameters.Linear linear) {
      float[] inverse = unscaled(parameters.theta());
      for (int i = 0; i < inverse.length; i++) {
        inverse[i] /= (float) linear.factor();
      }
      return inverse;
    }
    if (scaling instanceof RopeParameters.Dynamic dynamic) {
      return unscaled(grownTheta(dynamic.factor(), rowLength));
    }
    if (scaling instanceof RopeParameters.Yarn yarn) {
      return yarn(yarn);
    }
    if (scaling instanceof RopeParameters.Llama3 llama3) {
      return llama3(llama3);
    }
    if (scaling instanceof RopeParameters.LongRope longRope) {
      return longRope(longRope, rowLength);
    }
    return unscaled(parameters.theta());
  }

  /** What cos and sin are multiplied by. */
  public float attentionFactor() {
    RopeParameters.Scaling scaling = parameters.scaling();
    if (scaling instanceof RopeParameters.Yarn yarn) {
      return (float) yarn.attentionFactor().orElseGet(() -> yarnAttention(yarn));
    }
    if (scaling instanceof RopeParameters.LongRope longRope) {
      return (float) longRope.attentionFactor().orElseGet(() -> longRopeAttention(longRope));
    }
    return 1f;
  }

  /** Writes cos and sin of {@code position} times each frequency, times {@code factor}. */
  public static void fill(
      int position, float[] inverseFrequencies, float factor, float[] cos, float[] sin) {
    for (int i = 0; i < inverseFrequencies.length; i++) {
      float angle = (float) position * inverseFrequencies[i];
      cos[i] = (float) StrictMath.cos(angle) * factor;
      sin[i] = (float) StrictMath.sin(angle) * factor;
    }
  }

  private float[] unscaled(double theta) {
    float[] inverse = new float[headDim / 2];
    for (int i = 0; i < inverse.length; i++) {
      inverse[i] = 1f / power(theta, i);
    }
    return inverse;
  }

  /** {@code theta^(2i / headDim)}. */
  private float power(double theta, int i) {
    float exponent = (float) (2 * i) / (float) headDim;
    return (float) StrictMath.pow(theta, exponent);
  }

  /** NTK: {@code theta · (f·L/M - (f - 1))^(d / (d - 2))}, L the row's length but at least M. */
  private double grownTheta(double factor, int rowLength) {
    double ratio = (double) Math.max(rowLength, maxPositions) / maxPositions;
    double growth = factor * ratio - (factor - 1);
    return parameters.theta() * StrictMath.pow(growth, (double) headDim / (headDim - 2));
  }

  private float[] yarn(RopeParameters.Yarn yarn) {
    double low = correctionDimension(yarn.betaFast(), yarn.originalPositions());
    double high = correctionDimension(yarn.betaSlow(), yarn.originalPositions());
    if (yarn.truncate()) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, headDim - 1);
    if (low == high) {
      high += 0.001;
    }
    float[] inverse = new float[headDim / 2];
    for (int i = 0; i < inverse.length; i++) {
      float power = power(parameters.theta(), i);
      float ramp = (i - (float) low) / (float) (high - low);
      float kept = 1 - Math.max(0f, Math.min(ramp, 1f));
      float interpolated = 1f / ((float) yarn.factor() * power);
      inverse[i] = interpolated * (1 - kept) + 1f / power * kept;
    }
    return inverse;
  }

  /** The dimension that turns {@code rotations} times within the original context. */
  private double correctionDimension(double rotations, int positions) {
    return headDim
        * StrictMath.log(positions / (rotations * 2 * Math.PI))
        / (2 * StrictMath.log(parameters.theta()));
  }

  private static double yarnAttention(RopeParameters.Yarn yarn) {
    if (yarn.mscale().isPresent() && yarn.mscaleAllDim().isPresent()) {
      return yarnScale(yarn.factor(), yarn.mscale())
          / yarnScale(yarn.factor(), yarn.mscaleAllDim());
    }
    return yarnScale(yarn.factor(), OptionalDouble.empty());
  }

  private static double yarnScale(double factor, OptionalDouble mscale) {
    return factor <= 1 ? 1 : 0.1 * mscale.orElse(1) * StrictMath.log(factor) + 1;
  }

  private float[] llama3(RopeParameters.Llama3 llama3) {
    double longest = llama3.originalPositions() / llama3.lowFrequencyFactor();
    double shortest = llama3.originalPositions() / llama3.highFrequencyFactor();
    float[] inverse = unscaled(parameters.theta());
    for (int i = 0; i < inverse.length; i++) {
      float wavelength = (float) (2 * Math.PI) / inverse[i];
      float slowed = inverse[i] / (float) llama3.factor();
      if (wavelength > longest) {
        inverse[i] = slowed;
      } else if (wavelength >= shortest) {
        float smooth =
            (float)
                ((llama3.originalPositions() / wavelength - llama3.lowFrequencyFactor())
                    / (llama3.highFrequencyFactor() - llama3.lowFrequencyFactor()));
        inverse[i] = (1 - smooth) * slowed + smooth * inverse[i];
      }
    }
    return inverse;
  }

  private float[] longRope(RopeParameters.LongRope longRope, int rowLength) {
    var factors =
        rowLength > longRope.originalPositions() ? longRope.longFactors() : longRope.shortFactors();
    float[] inverse = new float[headDim / 2];
    for (int i = 0; i < inverse.length; i++) {
      inverse[i] = 1f / (factors.get(i).floatValue() * power(parameters.theta(), i));
    }
    return inverse;
  }

  private static double longRopeAttention(RopeParameters.LongRope longRope) {
    return longRope.factor() <= 1
        ? 1
        : Math.sqrt(
            1 + StrictMath.log(longRope.factor()) / StrictMath.log(longRope.originalPositions()));
  }
}
