package io.sirocco.template;

import io.sirocco.checkpoint.ModelException;
import java.util.Arrays;

/** A template's source with its line ends made one, and errors at a place in it. */
final class Source {
  /** Forty times the longest of Mistral's. */
  private static final int MAX_LENGTH = 1 << 18;

  private final String where;
  private final String text;
  private final int[] lineStarts;

  private Source(String where, String text) {
    this.where = where;
    this.text = text;
    this.lineStarts = lineStarts(text);
  }

  /** As Jinja reads it: each kind of line end is a newline, and one at the very end is dropped. */
  static Source of(String where, String source) {
    if (source.length() > MAX_LENGTH) {
      throw new ModelException(
          where,
          "the template has " + source.length() + " characters, expected at most " + MAX_LENGTH);
    }
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    return new Source(where, text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
  }

  String text() {
    return text;
  }

  Position position(int offset) {
    int found = Arrays.binarySearch(lineStarts, offset);
    int line = found >= 0 ? found : -found - 2;
    return new Position(line + 1, offset - lineStarts[line] + 1);
  }

  ModelException refused(int offset, String problem) {
    return refused(position(offset), problem);
  }

  ModelException refused(Position at, String problem) {
    return new ModelException(where + ": chat template, " + at, problem);
  }

  private static int[] lineStarts(String text) {
    int[] starts = new int[1 + (int) text.chars().filter(c -> c == '\n').count()];
    int line = 1;
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\n') {
        starts[line++] = i + 1;
      }
    }
    return starts;
  }
}
