package io.sirocco.template;

import java.math.BigInteger;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * {@code a.b}, {@code a[b]}, {@code a[b:c]}, {@code a.items()} and iteration, as Jinja has them.
 */
final class Access {
  private static final BigInteger LARGEST = BigInteger.valueOf(Integer.MAX_VALUE);
  private static final BigInteger SMALLEST = LARGEST.negate();

  /** Methods of an int, which a bool is, too. */
  private static final Set<String> INTEGER_METHODS =
      Set.of(
          "as_integer_ratio",
          "bit_count",
          "bit_length",
          "conjugate",
          "denominator",
          "from_bytes",
          "imag",
          "numerator",
          "real",
          "to_bytes");

  /** Methods of a dict. Jinja finds them before the keys, so a template must not name them. */
  static final Set<String> DICT_METHODS =
      Set.of(
          "clear",
          "copy",
          "fromkeys",
          "get",
          "items",
          "keys",
          "pop",
          "popitem",
          "setdefault",
          "update",
          "values");

  private static final Map<String, Set<String>> METHODS =
      Map.of(
          "str",
          Set.of(
              "capitalize",
              "casefold",
              "center",
              "count",
              "encode",
              "endswith",
              "expandtabs",
              "find",
              "format",
              "format_map",
              "index",
              "isalnum",
              "isalpha",
              "isascii",
              "isdecimal",
              "isdigit",
              "isidentifier",
              "islower",
              "isnumeric",
              "isprintable",
              "isspace",
              "istitle",
              "isupper",
              "join",
              "ljust",
              "lower",
              "lstrip",
              "maketrans",
              "partition",
              "removeprefix",
              "removesuffix",
              "replace",
              "rfind",
              "rindex",
              "rjust",
              "rpartition",
              "rsplit",
              "rstrip",
              "split",
              "splitlines",
              "startswith",
              "strip",
              "swapcase",
              "title",
              "translate",
              "upper",
              "zfill"),
          "dict",
          DICT_METHODS,
          "list",
          Set.of(
              "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove",
              "reverse", "sort"),
          "tuple",
          Set.of("count", "index"),
          "int",
          INTEGER_METHODS,
          "bool",
          INTEGER_METHODS,
          "float",
          Set.of("as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "is_integer", "real"),
          "dict_items",
          Set.of("isdisjoint", "mapping"),
          "generator",
          Set.of(
              "close",
              "gi_code",
              "gi_frame",
              "gi_running",
              "gi_suspended",
              "gi_yieldfrom",
              "send",
              "throw"));

  private Access() {}

  /** {@code target.name}, or {@code target['name']}, which is the same for all that is known. */
  static Value attribute(Value target, String name, Run run) {
    if (target instanceof Value.Undefined undefined) {
      throw run.failure(undefined.problem());
    }
    if (target instanceof Namespace namespace) {
      return namespace.get(name);
    }
    if (target instanceof Value.Dict dict) {
      Value found = dict.entries().get(name);
      if (found != null) {
        return found;
      }
    }
    if (METHODS.getOrDefault(target.type(), Set.of()).contains(name)) {
      throw run.failure(
          "'" + name + "' of a " + target.type() + " is Python's, and not known here");
    }
    return new Value.Undefined("a " + target.type() + " has no attribute '" + name + "'");
  }

  /** {@code target[key]}. */
  static Value item(Value target, Value key, Run run) {
    if (key instanceof Text text) {
      run.charge(text.length());
      return attribute(target, text.string(), run);
    }
    if (target instanceof Value.Undefined undefined) {
      throw run.failure(undefined.problem());
    }
    Optional<BigInteger> index = Operators.integer(key);
    if (index.isPresent() && target instanceof Text text) {
      return character(text, clamped(index.get()), run);
    }
    if (index.isPresent() && target instanceof Value.Sequence sequence) {
      List<Value> elements = sequence.elements();
      int position = fromStart(clamped(index.get()), elements.size());
      if (position >= 0 && position < elements.size()) {
        return elements.get(position);
      }
    }
    return new Value.Undefined("a " + target.type() + " has no such element");
  }

  /** {@code target[start:stop]}; a bound that is none is open. */
  static Value slice(Value target, Value start, Value stop, Run run) {
    if (target instanceof Value.Undefined undefined) {
      throw run.failure(undefined.problem());
    }
    if (target instanceof Text text) {
      run.charge(text.length());
      int size = text.codePoints();
      int from = bound(start, 0, size, run);
      int to = Math.max(from, bound(stop, size, size, run));
      String string = text.string();
      int begin = string.offsetByCodePoints(0, from);
      run.charge(to - from);
      return text.slice(begin, string.offsetByCodePoints(begin, to - from));
    }
    if (target instanceof Value.Sequence sequence) {
      int size = sequence.elements().size();
      int from = bound(start, 0, size, run);
      int to = Math.max(from, bound(stop, size, size, run));
      run.charge((long) Limits.NODE * (to - from));
      List<Value> kept = List.copyOf(sequence.elements().subList(from, to));
      return target instanceof Value.ListValue
          ? new Value.ListValue(kept, target.origin())
          : new Value.TupleValue(kept, target.origin());
    }
    throw run.failure("a " + target.type() + " has no slices");
  }

  static Value items(Value target, Run run) {
    if (target instanceof Value.Dict dict) {
      return new Value.Items(dict);
    }
    String found = target instanceof Value.Undefined ? "; " + Operators.described(target) : "";
    throw run.failure("items() of " + target.type() + ", expected a dict" + found);
  }

  /** The elements that a loop over {@code value} sees; each is paid for as it is taken. */
  static Iterator<Value> iterate(Value value, Run run) {
    if (value instanceof Generator generator) {
      return generator;
    }
    return new Elements(elements(value, run), run);
  }

  private static Iterator<Value> elements(Value value, Run run) {
    if (value instanceof Value.Undefined) {
      return List.<Value>of().iterator();
    }
    if (value instanceof Value.Sequence sequence) {
      return sequence.elements().iterator();
    }
    if (value instanceof Value.Dict dict) {
      return dict.entries().keySet().stream().map(Access::key).iterator();
    }
    if (value instanceof Value.Items items) {
      return items.dict().entries().entrySet().stream().map(Access::pair).iterator();
    }
    if (value instanceof Text text) {
      return new Characters(text);
    }
    throw run.failure("a " + value.type() + " cannot be iterated over");
  }

  private static Value key(String name) {
    return Text.of(name, Origin.REQUEST);
  }

  private static Value pair(Map.Entry<String, Value> entry) {
    return new Value.TupleValue(List.of(key(entry.getKey()), entry.getValue()), Origin.REQUEST);
  }

  private static Value character(Text text, int index, Run run) {
    run.charge(text.length());
    int size = text.codePoints();
    int position = fromStart(index, size);
    if (position < 0 || position >= size) {
      return new Value.Undefined("a str has no such element");
    }
    int begin = text.string().offsetByCodePoints(0, position);
    return text.slice(begin, text.string().offsetByCodePoints(begin, 1));
  }

  private static int bound(Value bound, int open, int size, Run run) {
    if (bound instanceof Value.None) {
      return open;
    }
    Optional<BigInteger> index = Operators.integer(bound);
    if (index.isEmpty()) {
      throw run.failure("a slice's bound is " + Operators.described(bound) + ", expected int");
    }
    return Math.max(0, Math.min(size, fromStart(clamped(index.get()), size)));
  }

  private static int fromStart(int index, int size) {
    return index < 0 ? index + size : index;
  }

  /** Far outside of any text or list stays outside. */
  private static int clamped(BigInteger index) {
    return index.max(SMALLEST).min(LARGEST).intValue();
  }

  private record Elements(Iterator<Value> source, Run run) implements Iterator<Value> {
    @Override
    public boolean hasNext() {
      return source.hasNext();
    }

    @Override
    public Value next() {
      run.charge(Limits.NODE);
      return source.next();
    }
  }

  /** A text's characters, each a text. */
  private static final class Characters implements Iterator<Value> {
    private final Text text;
    private int position;

    Characters(Text text) {
      this.text = text;
    }

    @Override
    public boolean hasNext() {
      return position < text.length();
    }

    @Override
    public Value next() {
      int begin = position;
      position = text.string().offsetByCodePoints(begin, 1);
      return text.slice(begin, position);
    }
  }
}
