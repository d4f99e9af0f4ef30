package io.sirocco.template;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Python's notation of floats: the fewest digits that read back as the same number, of these the
 * nearest. {@code Double.toString} writes one digit too many for some numbers before JDK 19.
 */
final class PythonFloat {
  /** Of any float, in units of work. */
  private static final int WORK = 256;

  /** Where digits are weighed exactly, for each binary digit that the number is away from 1. */
  private static final int WORK_PER_BIT = 64;

  /** No two decimal numbers of so many digits become the same normal float. */
  private static final int UNIQUE_DIGITS = 15;

  private PythonFloat() {}

  /** {@code repr(number)}. */
  static String repr(double number, Run run) {
    run.charge(WORK);
    if (Double.isNaN(number)) {
      return "nan";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "inf" : "-inf";
    }
    String sign = Math.copySign(1, number) < 0 ? "-" : "";
    return sign + (number == 0 ? "0.0" : positive(Math.abs(number), run));
  }

  private static String positive(double number, Run run) {
    BigDecimal shortest = shortest(number, run).stripTrailingZeros();
    String digits = shortest.unscaledValue().toString();
    int exponent = digits.length() - 1 - shortest.scale();
    if (exponent < -4 || exponent >= 16) {
      String fraction = digits.length() == 1 ? "" : "." + digits.substring(1);
      String power = (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
      return digits.charAt(0) + fraction + "e" + (exponent < 0 ? "-" : "+") + power;
    }
    String plain = shortest.toPlainString();
    return plain.indexOf('.') < 0 ? plain + ".0" : plain;
  }

  private static BigDecimal shortest(double number, Run run) {
    BigDecimal best = BigDecimal.valueOf(number);
    int digits = best.stripTrailingZeros().precision();
    if (digits <= UNIQUE_DIGITS && number >= Double.MIN_NORMAL) {
      return best;
    }
    run.charge((long) WORK_PER_BIT * Math.abs(Math.getExponent(number)));
    BigDecimal exact = new BigDecimal(number);
    best = rounded(exact, number, digits);
    while (digits > 1) {
      digits--;
      BigDecimal fewer = rounded(exact, number, digits);
      if (fewer.doubleValue() != number) {
        break;
      }
      best = fewer;
    }
    return best;
  }

  /** The nearest number of so many digits that reads back as {@code number}, if there is one. */
  private static BigDecimal rounded(BigDecimal exact, double number, int digits) {
    BigDecimal nearest = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
    if (nearest.doubleValue() == number) {
      return nearest;
    }
    boolean isBelow = nearest.compareTo(exact) < 0;
    return exact.round(
        new MathContext(digits, isBelow ? RoundingMode.CEILING : RoundingMode.FLOOR));
  }
}
