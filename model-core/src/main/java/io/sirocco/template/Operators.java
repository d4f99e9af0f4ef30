package io.sirocco.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Python's arithmetic on values: {@code +}, {@code %} and the unary minus. */
final class Operators {
  /** Python turns no longer integer into text: 4300 digits. */
  private static final int MAX_INTEGER_BITS = 14_284;

  private Operators() {}

  static Value add(Value left, Value right, Run run) {
    if (left instanceof Text a && right instanceof Text b) {
      return a.concat(b, run);
    }
    if (left instanceof Value.ListValue a && right instanceof Value.ListValue b) {
      return new Value.ListValue(joined(a, b, run), left.origin().with(right.origin()));
    }
    if (left instanceof Value.TupleValue a && right instanceof Value.TupleValue b) {
      return new Value.TupleValue(joined(a, b, run), left.origin().with(right.origin()));
    }
    Origin origin = left.origin().with(right.origin());
    Optional<BigInteger> first = integer(left);
    Optional<BigInteger> second = integer(right);
    if (first.isPresent() && second.isPresent()) {
      return checked(first.get().add(second.get()), origin, run);
    }
    if (isNumber(left) && isNumber(right)) {
      return new Value.Real(real(left, run) + real(right, run), origin);
    }
    throw mismatch("+", left, right, run);
  }

  static Value modulo(Value left, Value right, Run run) {
    Origin origin = left.origin().with(right.origin());
    Optional<BigInteger> first = integer(left);
    Optional<BigInteger> second = integer(right);
    if (first.isPresent() && second.isPresent()) {
      return new Value.Int(modulo(first.get(), second.get(), run), origin);
    }
    if (isNumber(left) && isNumber(right)) {
      return new Value.Real(modulo(real(left, run), real(right, run), run), origin);
    }
    throw mismatch("%", left, right, run);
  }

  static Value negate(Value value, Run run) {
    Optional<BigInteger> integer = integer(value);
    if (integer.isPresent()) {
      return new Value.Int(integer.get().negate(), value.origin());
    }
    if (value instanceof Value.Real real) {
      return new Value.Real(-real.number(), value.origin());
    }
    throw run.failure("cannot negate " + described(value));
  }

  /** The value of an int or a bool, which is an int in Python. */
  static Optional<BigInteger> integer(Value value) {
    if (value instanceof Value.Int integer) {
      return Optional.of(integer.number());
    }
    return value instanceof Value.Bool bool ? Optional.of(bool.number()) : Optional.empty();
  }

  /** An integer that can still be written. */
  static Value.Int checked(BigInteger number, Origin origin, Run run) {
    if (number.bitLength() > MAX_INTEGER_BITS) {
      throw run.limit("an integer has more than 4300 digits");
    }
    return new Value.Int(number, origin);
  }

  /** A value for an error message. */
  static String described(Value value) {
    return value instanceof Value.Undefined undefined ? undefined.problem() : value.type();
  }

  private static List<Value> joined(Value.Sequence left, Value.Sequence right, Run run) {
    long size = (long) left.elements().size() + right.elements().size();
    run.charge(Limits.NODE * size);
    List<Value> elements = new ArrayList<>(Math.toIntExact(size));
    elements.addAll(left.elements());
    elements.addAll(right.elements());
    return elements;
  }

  private static boolean isNumber(Value value) {
    return value instanceof Value.Int || value instanceof Value.Bool || value instanceof Value.Real;
  }

  private static double real(Value value, Run run) {
    if (value instanceof Value.Real real) {
      return real.number();
    }
    double number = integer(value).orElseThrow().doubleValue();
    if (Double.isInfinite(number)) {
      throw run.failure("an integer is too large to become a float");
    }
    return number;
  }

  /** The result has the sign of the divisor, as in Python. */
  private static BigInteger modulo(BigInteger left, BigInteger right, Run run) {
    if (right.signum() == 0) {
      throw run.failure("% by zero");
    }
    BigInteger rest = left.remainder(right);
    return rest.signum() != 0 && rest.signum() != right.signum() ? rest.add(right) : rest;
  }

  private static double modulo(double left, double right, Run run) {
    if (right == 0) {
      throw run.failure("% by zero");
    }
    double rest = left % right;
    if (rest == 0) {
      return Math.copySign(0.0, right);
    }
    return (rest < 0) != (right < 0) ? rest + right : rest;
  }

  private static TemplateException mismatch(String operator, Value left, Value right, Run run) {
    if (left instanceof Value.Undefined undefined) {
      return run.failure(undefined.problem());
    }
    if (right instanceof Value.Undefined undefined) {
      return run.failure(undefined.problem());
    }
    String hint =
        operator.equals("%") && left instanceof Text ? "; text is not formatted here" : "";
    return run.failure(
        "cannot apply " + operator + " to " + left.type() + " and " + right.type() + hint);
  }
}
