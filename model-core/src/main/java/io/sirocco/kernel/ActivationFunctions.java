package io.sirocco.kernel;

/** Evaluates {@link Activation} in double. */
final class ActivationFunctions {
  private static final double QUICK_GELU = 1.702;
  private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
  private static final double CUBIC = 0.044715;

  private ActivationFunctions() {}

  static double apply(Activation activation, double x) {
    return switch (activation) {
      case SILU -> x * sigmoid(x);
      case GELU -> 0.5 * x * (1 + erf(x / Math.sqrt(2)));
      case GELU_TANH -> 0.5 * x * (1 + Math.tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x)));
      case QUICK_GELU -> x * sigmoid(QUICK_GELU * x);
      case RELU -> Double.isNaN(x) ? x : Math.max(x, 0);
      case TANH -> Math.tanh(x);
      case SIGMOID -> sigmoid(x);
    };
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /**
   * The error function, to about 1e-15: its Maclaurin series near zero (Abramowitz and Stegun
   * 7.1.6), the continued fraction of its complement elsewhere (7.1.14).
   */
  static double erf(double x) {
    double magnitude = Math.abs(x);
    if (Double.isNaN(x)) {
      return x;
    }
    if (magnitude > 6) {
      return Math.signum(x);
    }
    double value = magnitude < 2.5 ? series(magnitude) : 1 - complement(magnitude);
    return Math.copySign(value, x);
  }

  /** {@code 2/√π · e^(-x²) · Σ 2^n x^(2n+1) / (1·3···(2n+1))}. */
  private static double series(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  /** {@code e^(-x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...))))}. */
  private static double complement(double x) {
    double tail = x;
    for (int n = 60; n >= 1; n--) {
      tail = x + n / 2.0 / tail;
    }
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
  }
}
