package io.sirocco.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Python's {@code ==}: deep, by value, numbers across their types. */
final class Equality {
  /** Of an integer with a float, in units of work. */
  private static final int EXACT_COMPARISON = 256;

  private Equality() {}

  static boolean equal(Value left, Value right, Run run) {
    run.charge(Limits.NODE);
    if (left instanceof Text a && right instanceof Text b) {
      return a.length() == b.length() && equalStrings(a.string(), b.string(), run);
    }
    if (left instanceof Value.ListValue a && right instanceof Value.ListValue b) {
      return equalElements(a.elements(), b.elements(), run);
    }
    if (left instanceof Value.TupleValue a && right instanceof Value.TupleValue b) {
      return equalElements(a.elements(), b.elements(), run);
    }
    if (left instanceof Value.Dict a && right instanceof Value.Dict b) {
      return equalEntries(a.entries(), b.entries(), run);
    }
    if (left instanceof Value.Items a && right instanceof Value.Items b) {
      return equalEntries(a.dict().entries(), b.dict().entries(), run);
    }
    boolean bothNone = left instanceof Value.None && right instanceof Value.None;
    boolean bothUndefined = left instanceof Value.Undefined && right instanceof Value.Undefined;
    return bothNone
        || bothUndefined
        || (left == right && !isNan(left))
        || equalNumbers(left, right, run);
  }

  private static boolean equalStrings(String left, String right, Run run) {
    run.charge(left.length());
    return left.equals(right);
  }

  private static boolean equalElements(List<Value> left, List<Value> right, Run run) {
    if (left.size() != right.size()) {
      return false;
    }
    Iterator<Value> others = right.iterator();
    for (Value element : left) {
      if (!equalWithin(element, others.next(), run)) {
        return false;
      }
    }
    return true;
  }

  private static boolean equalEntries(Map<String, Value> left, Map<String, Value> right, Run run) {
    if (left.size() != right.size()) {
      return false;
    }
    for (Map.Entry<String, Value> entry : left.entrySet()) {
      run.charge(entry.getKey().length());
      Value other = right.get(entry.getKey());
      if (other == null || !equalWithin(entry.getValue(), other, run)) {
        return false;
      }
    }
    return true;
  }

  /** Containers take the same object for equal, even if it is NaN; and need not look at it. */
  private static boolean equalWithin(Value left, Value right, Run run) {
    return left == right || equal(left, right, run);
  }

  private static boolean equalNumbers(Value left, Value right, Run run) {
    if (left instanceof Value.Real a && right instanceof Value.Real b) {
      return a.number() == b.number();
    }
    if (left instanceof Value.Real || right instanceof Value.Real) {
      run.charge(EXACT_COMPARISON);
    }
    if (left instanceof Value.Real real) {
      return Operators.integer(right).map(integer -> equal(integer, real.number())).orElse(false);
    }
    if (right instanceof Value.Real real) {
      return Operators.integer(left).map(integer -> equal(integer, real.number())).orElse(false);
    }
    return Operators.integer(left)
        .map(integer -> Operators.integer(right).map(integer::equals).orElse(false))
        .orElse(false);
  }

  private static boolean equal(BigInteger integer, double real) {
    return !Double.isNaN(real)
        && !Double.isInfinite(real)
        && real == Math.rint(real)
        && new BigDecimal(real).toBigInteger().equals(integer);
  }

  private static boolean isNan(Value value) {
    return value instanceof Value.Real real && Double.isNaN(real.number());
  }
}
