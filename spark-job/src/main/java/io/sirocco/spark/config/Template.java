package io.sirocco.spark.config;

import java.util.ArrayList;
import java.util.List;

/**
 * A text with columns in it, such as {@code Subject: {subject}}. Braces of the text itself are
 * doubled.
 *
 * @param text as it was written
 */
public record Template(String text, List<Part> parts) {
  private static final String KEY = "input.template";

  /** A piece of a template. */
  public sealed interface Part {}

  /** Text as it stands. */
  public record Literal(String text) implements Part {}

  /** A column's value. */
  public record Placeholder(String column) implements Part {}

  public Template {
    parts = List.copyOf(parts);
  }

  /** Reads a template; a brace without its partner, or an empty name, is a configuration error. */
  public static Template parse(String text) {
    List<Part> parts = new ArrayList<>();
    StringBuilder literal = new StringBuilder();
    int at = 0;
    while (at < text.length()) {
      char c = text.charAt(at);
      boolean doubled = at + 1 < text.length() && text.charAt(at + 1) == c;
      if ((c == '{' || c == '}') && doubled) {
        literal.append(c);
        at += 2;
      } else if (c == '{') {
        int end = text.indexOf('}', at);
        String column = end < 0 ? "" : text.substring(at + 1, end);
        if (column.isBlank() || column.indexOf('{') >= 0) {
          throw problem(text, at, "{ without a column and }; write {{ for a brace");
        }
        flush(literal, parts);
        parts.add(new Placeholder(column));
        at = end + 1;
      } else if (c == '}') {
        throw problem(text, at, "} without {; write }} for a brace");
      } else {
        literal.append(c);
        at++;
      }
    }
    flush(literal, parts);
    if (parts.stream().noneMatch(Placeholder.class::isInstance)) {
      throw new ConfigException(KEY, text, "at least one {column}");
    }
    return new Template(text, parts);
  }

  /** The text before the first column. */
  String beginning() {
    return parts.get(0) instanceof Literal literal ? literal.text() : "";
  }

  private static void flush(StringBuilder literal, List<Part> parts) {
    if (literal.length() > 0) {
      parts.add(new Literal(literal.toString()));
      literal.setLength(0);
    }
  }

  private static ConfigException problem(String text, int at, String what) {
    return new ConfigException(
        KEY + " has, at character " + (at + 1) + " of '" + text + "', " + what);
  }
}
