package io.sirocco.adapter;

import io.sirocco.adapter.ModulePattern.Node;
import io.sirocco.adapter.ModulePattern.Text;
import io.sirocco.checkpoint.ModelException;
import java.util.ArrayList;
import java.util.List;

/** Reads a {@link ModulePattern}. */
final class PatternParser {
  private static final int MOST_CHARACTERS = 4096;
  private static final int DEEPEST = 50;
  private static final int MOST_REPETITIONS = 1000;
  private static final int UNLIMITED = Integer.MAX_VALUE;

  private final String pattern;
  private final String where;
  private int at;
  private int depth;

  PatternParser(String pattern, String where) {
    this.pattern = pattern;
    this.where = where;
  }

  Node parse() {
    if (pattern.length() > MOST_CHARACTERS) {
      throw problem("has " + pattern.length() + " characters, at most " + MOST_CHARACTERS);
    }
    Node root = alternatives();
    if (at < pattern.length()) {
      throw problem("has a ) too many");
    }
    return root;
  }

  private Node alternatives() {
    if (++depth > DEEPEST) {
      throw problem("nests deeper than " + DEEPEST);
    }
    List<Node> all = new ArrayList<>(List.of(sequence()));
    while (accept('|')) {
      all.add(sequence());
    }
    depth--;
    return (text, positions) -> {
      text.steps().take(positions);
      long after = 0;
      for (Node one : all) {
        after |= one.after(text, positions);
      }
      return after;
    };
  }

  private Node sequence() {
    List<Node> all = new ArrayList<>();
    while (at < pattern.length() && pattern.charAt(at) != '|' && pattern.charAt(at) != ')') {
      all.add(repeated(atom()));
    }
    return (text, positions) -> {
      long after = positions;
      for (int i = 0; i < all.size() && after != 0; i++) {
        text.steps().take(after);
        after = all.get(i).after(text, after);
      }
      return after;
    };
  }

  private Node repeated(Node atom) {
    Node node = atom;
    int least = 0;
    int most = UNLIMITED;
    if (accept('*')) {
      node = repetition(atom, least, most);
    } else if (accept('+')) {
      node = repetition(atom, 1, most);
    } else if (accept('?')) {
      node = repetition(atom, least, 1);
    } else if (isCounted()) {
      accept('{');
      least = number(0);
      most = accept(',') ? number(UNLIMITED) : least;
      if (!accept('}') || least > most) {
        throw problem("has a repetition that is none");
      }
      node = repetition(atom, least, most);
    } else {
      return node;
    }
    accept('?'); // As few as possible: a whole name is matched by both or by neither.
    if (at < pattern.length() && (isCounted() || "*+?".indexOf(pattern.charAt(at)) >= 0)) {
      throw problem("repeats a repetition");
    }
    return node;
  }

  /** Python takes a brace for itself where no count follows. */
  private boolean isCounted() {
    int digit = at + 1;
    return at < pattern.length()
        && pattern.charAt(at) == '{'
        && digit < pattern.length()
        && (isDigit(pattern.charAt(digit)) || pattern.charAt(digit) == ',')
        && pattern.indexOf('}', digit) > 0;
  }

  private int number(int ifAbsent) {
    int from = at;
    while (at < pattern.length() && isDigit(pattern.charAt(at))) {
      at++;
    }
    if (at == from) {
      return ifAbsent;
    }
    if (at - from > 4 || Integer.parseInt(pattern.substring(from, at)) > MOST_REPETITIONS) {
      throw problem("repeats something more than " + MOST_REPETITIONS + " times");
    }
    return Integer.parseInt(pattern.substring(from, at));
  }

  private static Node repetition(Node body, int least, int most) {
    return (text, positions) -> {
      long now = positions;
      for (int i = 0; i < least && now != 0; i++) {
        text.steps().take(now);
        long next = body.after(text, now);
        if (next == now) {
          break; // So it would go on.
        }
        now = next;
      }
      long all = now;
      for (int i = least; i < most && now != 0; i++) {
        text.steps().take(now);
        now = body.after(text, now) & ~all;
        all |= now;
      }
      return all;
    };
  }

  private Node atom() {
    char c = pattern.charAt(at++);
    return switch (c) {
      case '(' -> group();
      case '[' -> character(new CharacterClass(pattern, at, this::problem).read(this::moveTo));
      case '.' -> character(CharacterSet.of('\n').not());
      case '^' -> place((text, position) -> position == 0);
      case '$' -> place((text, position) -> position == text.length());
      case '\\' -> escape();
      case '*', '+', '?' -> throw problem("repeats nothing");
      default -> character(CharacterSet.of(c));
    };
  }

  private void moveTo(int place) {
    at = place;
  }

  private Node group() {
    boolean ahead = false;
    boolean not = false;
    if (accept('?')) {
      char kind = at < pattern.length() ? pattern.charAt(at++) : ' ';
      ahead = kind == '=' || kind == '!';
      not = kind == '!';
      if (kind != ':' && !ahead) {
        throw problem("has a group (?" + kind + ", which is not supported");
      }
    }
    Node inner = alternatives();
    if (!accept(')')) {
      throw problem("lacks a )");
    }
    return ahead ? lookahead(inner, not) : inner;
  }

  private static Node lookahead(Node inner, boolean not) {
    return (text, positions) -> {
      long kept = 0;
      for (long left = positions; left != 0; left &= left - 1) {
        long position = Long.lowestOneBit(left);
        text.steps().take(position);
        if ((inner.after(text, position) != 0) != not) {
          kept |= position;
        }
      }
      return kept;
    };
  }

  private Node escape() {
    if (at == pattern.length()) {
      throw problem("ends with a backslash");
    }
    char c = pattern.charAt(at++);
    return switch (c) {
      case 'A' -> place((text, position) -> position == 0);
      case 'Z' -> place((text, position) -> position == text.length());
      case 'b' -> place(PatternParser::isBoundary);
      case 'B' -> place((text, position) -> !isBoundary(text, position));
      default ->
          character(
              CharacterClass.escaped(c)
                  .orElseThrow(() -> problem("has \\" + c + ", which is not supported")));
    };
  }

  private static boolean isBoundary(String text, int position) {
    boolean before = position > 0 && CharacterSet.WORD.has(text.charAt(position - 1));
    boolean behind = position < text.length() && CharacterSet.WORD.has(text.charAt(position));
    return before != behind;
  }

  private static Node character(CharacterSet set) {
    return (Text text, long positions) -> {
      long after = 0;
      for (long left = positions; left != 0; left &= left - 1) {
        int i = Long.numberOfTrailingZeros(left);
        if (i < text.name().length() && set.has(text.name().charAt(i))) {
          after |= 1L << (i + 1);
        }
      }
      return after;
    };
  }

  private interface Place {
    boolean fits(String text, int position);
  }

  private static Node place(Place place) {
    return (text, positions) -> {
      long kept = 0;
      for (long left = positions; left != 0; left &= left - 1) {
        if (place.fits(text.name(), Long.numberOfTrailingZeros(left))) {
          kept |= Long.lowestOneBit(left);
        }
      }
      return kept;
    };
  }

  private boolean accept(char c) {
    if (at < pattern.length() && pattern.charAt(at) == c) {
      at++;
      return true;
    }
    return false;
  }

  static boolean isDigit(int c) {
    return c >= '0' && c <= '9';
  }

  private ModelException problem(String problem) {
    String shown = pattern.length() <= 80 ? pattern : pattern.substring(0, 80) + "...";
    return new ModelException(
        where,
        "the pattern "
            + shown
            + " "
            + problem
            + " (at character "
            + at
            + "); name the modules in a list, or write it otherwise");
  }
}
