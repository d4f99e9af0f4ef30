package io.sirocco.template;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Python's {@code str()} and {@code repr()}. */
final class PythonText extends ValueText {
  /** Of looking a character up in Unicode's tables. */
  private static final int WORK_PER_CHARACTER = 8;

  /** Writing a number takes time quadratic in its bits. */
  private static final int BITS_SQUARED_PER_WORK = 256;

  private PythonText(Run run, Origin origin) {
    super(run, origin);
  }

  /** {@code str(value)}; of what is undefined, the empty text. */
  static Text of(Value value, Run run) {
    if (value instanceof Text text) {
      return text;
    }
    if (value instanceof Value.Undefined) {
      return Text.of("", Origin.TEMPLATE);
    }
    PythonText text = new PythonText(run, value.origin());
    text.write(value, 0);
    return text.toText();
  }

  /** White space as {@code str.strip()} and {@code \s} have it. */
  static boolean isSpace(int c) {
    return (c >= 0x9 && c <= 0xd)
        || (c >= 0x1c && c <= 0x20)
        || c == 0x85
        || c == 0xa0
        || c == 0x1680
        || (c >= 0x2000 && c <= 0x200a)
        || c == 0x2028
        || c == 0x2029
        || c == 0x202f
        || c == 0x205f
        || c == 0x3000;
  }

  /** Where {@code text} without its trailing white space ends. */
  static int trimmedEnd(CharSequence text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return end;
  }

  /** Without white space at both ends. */
  static Text trim(Text text, Run run) {
    run.charge(text.length());
    int end = trimmedEnd(text.string());
    int start = 0;
    while (start < end && isSpace(text.string().charAt(start))) {
      start++;
    }
    return text.slice(start, end);
  }

  @Override
  void write(Value value, int depth) {
    run.charge(Limits.NODE);
    Values.checkDepth(depth, run);
    if (value instanceof Text text) {
      writeQuoted(text.string());
    } else if (value instanceof Value.ListValue list) {
      put("[");
      writeElements(list.elements(), depth);
      put("]");
    } else if (value instanceof Value.TupleValue tuple) {
      put("(");
      writeElements(tuple.elements(), depth);
      put(tuple.elements().size() == 1 ? ",)" : ")");
    } else if (value instanceof Value.Dict dict) {
      writeDict(dict, depth);
    } else if (value instanceof Value.Items items) {
      writeItems(items, depth);
    } else {
      put(scalar(value));
    }
  }

  private String scalar(Value value) {
    if (value instanceof Value.None) {
      return "None";
    }
    if (value instanceof Value.Bool bool) {
      return bool.truth().holds() ? "True" : "False";
    }
    if (value instanceof Value.Int integer) {
      long bits = integer.number().bitLength();
      run.charge(bits * bits / BITS_SQUARED_PER_WORK);
      return integer.number().toString();
    }
    if (value instanceof Value.Real real) {
      return PythonFloat.repr(real.number(), run);
    }
    throw run.failure("a " + value.type() + " has no text");
  }

  private void writeElements(List<Value> elements, int depth) {
    Iterator<Value> each = elements.iterator();
    while (each.hasNext()) {
      write(each.next(), depth + 1);
      if (each.hasNext()) {
        put(", ");
      }
    }
  }

  private void writeItems(Value.Items items, int depth) {
    put("dict_items([");
    String separator = "";
    for (Map.Entry<String, Value> entry : items.dict().entries().entrySet()) {
      put(separator + "(");
      writeQuoted(entry.getKey());
      put(", ");
      write(entry.getValue(), depth + 2);
      put(")");
      separator = ", ";
    }
    put("])");
  }

  @Override
  void writeQuoted(String string) {
    run.charge((long) WORK_PER_CHARACTER * string.length());
    char quote = string.indexOf('\'') >= 0 && string.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder quoted = new StringBuilder().append(quote);
    int next = 0;
    while (next < string.length()) {
      int c = string.codePointAt(next);
      quote(c, quote, quoted);
      next += Character.charCount(c);
      putPiece(quoted);
    }
    put(quoted.append(quote).toString());
  }

  private static void quote(int c, char quote, StringBuilder quoted) {
    if (c == quote || c == '\\') {
      quoted.append('\\').append((char) c);
    } else if (c == '\n') {
      quoted.append("\\n");
    } else if (c == '\r') {
      quoted.append("\\r");
    } else if (c == '\t') {
      quoted.append("\\t");
    } else if (isPrintable(c)) {
      quoted.appendCodePoint(c);
    } else if (c < 0x100) {
      quoted.append("\\x").append(HEX.toHexDigits((byte) c));
    } else if (c < 0x10000) {
      quoted.append("\\u").append(HEX.toHexDigits((char) c));
    } else {
      quoted.append("\\U").append(HEX.toHexDigits(c));
    }
  }

  /** As {@code str.isprintable()}, as far as this JDK's Unicode version knows the character. */
  private static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }
}
