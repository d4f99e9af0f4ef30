package io.sirocco.template;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/** A value as Python has it, and who wrote it. */
sealed interface Value
    permits Value.Undefined,
        Value.None,
        Value.Bool,
        Value.Int,
        Value.Real,
        Value.Sequence,
        Value.Dict,
        Value.Items,
        Generator,
        Namespace,
        Text {

  Origin origin();

  /** Python's name for the type, as its own messages have it. */
  String type();

  /** A list or a tuple. */
  sealed interface Sequence extends Value permits ListValue, TupleValue {
    List<Value> elements();
  }

  /** What is not there; {@code problem} says what was looked for. */
  record Undefined(String problem) implements Value {
    @Override
    public Origin origin() {
      return Origin.TEMPLATE;
    }

    @Override
    public String type() {
      return "Undefined";
    }
  }

  record None(Origin origin) implements Value {
    @Override
    public String type() {
      return "NoneType";
    }
  }

  record Bool(Truth truth, Origin origin) implements Value {
    @Override
    public String type() {
      return "bool";
    }

    BigInteger number() {
      return truth == Truth.TRUE ? BigInteger.ONE : BigInteger.ZERO;
    }
  }

  record Int(BigInteger number, Origin origin) implements Value {
    static Int of(long number, Origin origin) {
      return new Int(BigInteger.valueOf(number), origin);
    }

    @Override
    public String type() {
      return "int";
    }
  }

  record Real(double number, Origin origin) implements Value {
    @Override
    public String type() {
      return "float";
    }
  }

  record ListValue(List<Value> elements, Origin origin) implements Sequence {
    @Override
    public String type() {
      return "list";
    }
  }

  record TupleValue(List<Value> elements, Origin origin) implements Sequence {
    @Override
    public String type() {
      return "tuple";
    }
  }

  /** An object of the request, keys in their order; templates make none. */
  record Dict(Map<String, Value> entries) implements Value {
    @Override
    public Origin origin() {
      return Origin.REQUEST;
    }

    @Override
    public String type() {
      return "dict";
    }
  }

  /** The result of {@code items()}. */
  record Items(Dict dict) implements Value {
    @Override
    public Origin origin() {
      return Origin.REQUEST;
    }

    @Override
    public String type() {
      return "dict_items";
    }
  }
}
