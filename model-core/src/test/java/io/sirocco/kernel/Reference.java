package io.sirocco.kernel;

/** The operations of {@link Kernels} in double precision, written without regard to speed. */
final class Reference {
  private static final double UNIT = 0x1p-24;
  private static final int SIMPSON_STEPS = 400;

  private Reference() {}

  /**
   * Results, and for each the sum of the magnitudes that it was made from, to which errors of
   * float32 sums are proportional.
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Sums(double[][] value, double[][] magnitude) {}

  /** {@code x[M,K] · W[N,K]ᵀ}. */
  static Sums product(float[][] x, float[][] weights) {
    Sums sums =
        new Sums(new double[x.length][weights.length], new double[x.length][weights.length]);
    for (int m = 0; m < x.length; m++) {
      for (int n = 0; n < weights.length; n++) {
        double value = 0;
        double magnitude = 0;
        for (int k = 0; k < x[m].length; k++) {
          double term = (double) x[m][k] * weights[n][k];
          value += term;
          magnitude += Math.abs(term);
        }
        sums.value()[m][n] = value;
        sums.magnitude()[m][n] = magnitude;
      }
    }
    return sums;
  }

  /** Error allowed to a float32 sum of so many terms. */
  static double sumError(int terms, double magnitude) {
    return UNIT * (4 + Math.sqrt(terms)) * magnitude;
  }

  /** Error of storing a value in that type: half a unit in the last place. */
  static double storeError(Precision precision, double value) {
    return precision != Precision.FLOAT32 ? 0x1p-8 * Math.abs(value) : UNIT * Math.abs(value);
  }

  static double activation(Activation activation, double x) {
    return switch (activation) {
      case SILU -> x / (1 + Math.exp(-x));
      case GELU -> x * normalDistribution(x);
      case GELU_TANH ->
          x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
      case RELU -> x > 0 ? x : 0;
      case TANH -> Math.tanh(x);
      case SIGMOID -> 1 / (1 + Math.exp(-x));
    };
  }

  /** Φ(x), by Simpson's rule from 0. */
  static double normalDistribution(double x) {
    double step = x / SIMPSON_STEPS;
    double sum = density(0) + density(x);
    for (int i = 1; i < SIMPSON_STEPS; i++) {
      sum += (i % 2 == 1 ? 4 : 2) * density(i * step);
    }
    return 0.5 + sum * step / 3;
  }

  private static double density(double x) {
    return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  /** Softmax attention; {@code magnitude} is the error allowed to each result. */
  static Sums attend(
      AttentionBlock block, float[][] queries, float[][] keys, float[][] values, float[][] mask) {
    int headDim = block.headDim();
    int width = block.heads() * headDim;
    Sums sums = new Sums(new double[queries.length][width], new double[queries.length][width]);
    for (int q = 0; q < queries.length; q++) {
      for (int head = 0; head < block.heads(); head++) {
        int keyAt = head / (block.heads() / block.kvHeads()) * headDim;
        attendHead(block, head * headDim, keyAt, queries[q], keys, values, mask[q], q, sums);
      }
    }
    return sums;
  }

  private static void attendHead(
      AttentionBlock block,
      int queryAt,
      int keyAt,
      float[] query,
      float[][] keys,
      float[][] values,
      float[] mask,
      int q,
      Sums sums) {
    int headDim = block.headDim();
    double[] weights = new double[keys.length];
    double max = Double.NEGATIVE_INFINITY;
    double scoreError = 0;
    for (int slot = 0; slot < keys.length; slot++) {
      double score = 0;
      double magnitude = 0;
      for (int i = 0; i < headDim; i++) {
        double term = (double) query[queryAt + i] * keys[slot][keyAt + i] * block.scale();
        score += term;
        magnitude += Math.abs(term);
      }
      weights[slot] = score + mask[slot];
      max = Math.max(max, weights[slot]);
      scoreError = Math.max(scoreError, mask[slot] == 0 ? sumError(headDim, magnitude) : 0);
    }
    double total = 0;
    for (int slot = 0; slot < keys.length; slot++) {
      weights[slot] = Math.exp(weights[slot] - max);
      total += weights[slot];
    }
    double probabilityError = 2 * scoreError + UNIT * 16;
    if (block.queries().type() == Precision.BFLOAT16.activation()) {
      probabilityError += 0x1p-8;
    }
    for (int i = 0; i < headDim; i++) {
      double value = 0;
      double magnitude = 0;
      for (int slot = 0; slot < keys.length; slot++) {
        double term = weights[slot] / total * values[slot][keyAt + i];
        value += term;
        magnitude += Math.abs(term);
      }
      sums.value()[q][queryAt + i] = value;
      sums.magnitude()[q][queryAt + i] =
          probabilityError * magnitude + sumError(keys.length, magnitude);
    }
  }

  /** x / sqrt(mean(x²) + eps) · weight, row by row. */
  static Sums rmsNorm(float[][] x, float[] weight, float eps) {
    int columns = weight.length;
    Sums want = new Sums(new double[x.length][columns], new double[x.length][columns]);
    for (int m = 0; m < x.length; m++) {
      double squares = 0;
      for (float value : x[m]) {
        squares += (double) value * value;
      }
      double scale = 1 / Math.sqrt(squares / columns + eps);
      for (int k = 0; k < columns; k++) {
        want.value()[m][k] = x[m][k] * scale * weight[k];
        want.magnitude()[m][k] = Math.abs(want.value()[m][k]);
      }
    }
    return want;
  }

  /** The halves of every head, turned by the angles of the row. */
  static Sums rotate(float[][] x, float[][] cos, float[][] sin, int headDim) {
    int half = headDim / 2;
    int columns = x[0].length;
    Sums want = new Sums(new double[x.length][columns], new double[x.length][columns]);
    for (int m = 0; m < x.length; m++) {
      for (int at = 0; at < columns; at++) {
        int place = at % headDim;
        int partner = place < half ? at + half : at - half;
        double own = (double) x[m][at] * cos[m][place % half];
        double other = (double) x[m][partner] * sin[m][place % half];
        want.value()[m][at] = place < half ? own - other : own + other;
        want.magnitude()[m][at] = Math.abs(own) + Math.abs(other);
      }
    }
    return want;
  }
}
