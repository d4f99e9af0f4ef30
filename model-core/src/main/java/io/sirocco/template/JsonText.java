package io.sirocco.template;

/**
 * {@code tojson} as transformers gives it to templates: json.dumps with non-ASCII kept, ", " and ":
 * " between, nothing escaped for HTML.
 */
final class JsonText extends ValueText {
  private static final int WORK_PER_CHARACTER = 2;

  private JsonText(Run run, Origin origin) {
    super(run, origin);
  }

  static Text of(Value value, Run run) {
    JsonText json = new JsonText(run, value.origin());
    json.write(value, 0);
    return json.toText();
  }

  @Override
  void write(Value value, int depth) {
    run.charge(Limits.NODE);
    Values.checkDepth(depth, run);
    if (value instanceof Text text) {
      writeQuoted(text.string());
    } else if (value instanceof Value.Sequence sequence) {
      put("[");
      String separator = "";
      for (Value element : sequence.elements()) {
        put(separator);
        write(element, depth + 1);
        separator = ", ";
      }
      put("]");
    } else if (value instanceof Value.Dict dict) {
      writeDict(dict, depth);
    } else {
      put(scalar(value));
    }
  }

  private String scalar(Value value) {
    if (value instanceof Value.None) {
      return "null";
    }
    if (value instanceof Value.Bool bool) {
      return bool.truth().holds() ? "true" : "false";
    }
    if (value instanceof Value.Real real && Double.isNaN(real.number())) {
      return "NaN";
    }
    if (value instanceof Value.Real real && Double.isInfinite(real.number())) {
      return real.number() > 0 ? "Infinity" : "-Infinity";
    }
    if (value instanceof Value.Int || value instanceof Value.Real) {
      return PythonText.of(value, run).string();
    }
    throw run.failure("tojson of " + Operators.described(value));
  }

  @Override
  void writeQuoted(String string) {
    run.charge((long) WORK_PER_CHARACTER * string.length());
    StringBuilder quoted = new StringBuilder().append('"');
    for (int i = 0; i < string.length(); i++) {
      quote(string.charAt(i), quoted);
      putPiece(quoted);
    }
    put(quoted.append('"').toString());
  }

  private static void quote(char c, StringBuilder quoted) {
    switch (c) {
      case '"' -> quoted.append("\\\"");
      case '\\' -> quoted.append("\\\\");
      case '\n' -> quoted.append("\\n");
      case '\r' -> quoted.append("\\r");
      case '\t' -> quoted.append("\\t");
      case '\f' -> quoted.append("\\f");
      case '\b' -> quoted.append("\\b");
      default -> {
        if (c < 0x20) {
          quoted.append("\\u00").append(HEX.toHexDigits((byte) c));
        } else {
          quoted.append(c);
        }
      }
    }
  }
}
