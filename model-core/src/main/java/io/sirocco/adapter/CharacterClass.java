package io.sirocco.adapter;

import io.sirocco.checkpoint.ModelException;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;

/** Reads what stands between brackets in a pattern. */
final class CharacterClass {
  private final String pattern;
  private final Function<String, ModelException> problem;
  private int at;

  /** {@code from}: behind the opening bracket. */
  CharacterClass(String pattern, int from, Function<String, ModelException> problem) {
    this.pattern = pattern;
    this.at = from;
    this.problem = problem;
  }

  /** {@code end} is told where the pattern goes on. */
  IntPredicate read(IntConsumer end) {
    boolean not = at < pattern.length() && pattern.charAt(at) == '^';
    at += not ? 1 : 0;
    IntPredicate any = c -> false;
    int first = at;
    while (true) {
      if (at >= pattern.length()) {
        throw problem.apply("lacks a ]");
      }
      if (pattern.charAt(at) == ']' && at > first) {
        break;
      }
      any = any.or(next());
    }
    end.accept(at + 1);
    return not ? any.negate() : any;
  }

  private IntPredicate next() {
    char from = pattern.charAt(at++);
    if (from == '\\') {
      char c = at < pattern.length() ? pattern.charAt(at++) : ' ';
      return escaped(c).orElseThrow(() -> problem.apply("has \\" + c + ", which is not supported"));
    }
    boolean range =
        at + 1 < pattern.length() && pattern.charAt(at) == '-' && pattern.charAt(at + 1) != ']';
    if (!range) {
      return c -> c == from;
    }
    char to = pattern.charAt(at + 1);
    if (to == '\\' || to < from) {
      throw problem.apply("has a range that is none");
    }
    at += 2;
    return c -> c >= from && c <= to;
  }

  /** What a backslash and {@code c} stand for, as far as it is one character. */
  static Optional<IntPredicate> escaped(char c) {
    IntPredicate space = one -> " \t\n\r\f\u000b".indexOf(one) >= 0;
    return switch (c) {
      case 'd' -> Optional.of(PatternParser::isDigit);
      case 'D' -> Optional.of(one -> !PatternParser.isDigit(one));
      case 'w' -> Optional.of(CharacterClass::isWord);
      case 'W' -> Optional.of(one -> !isWord(one));
      case 's' -> Optional.of(space);
      case 'S' -> Optional.of(space.negate());
      default -> Character.isLetterOrDigit(c) ? Optional.empty() : Optional.of(one -> one == c);
    };
  }

  static boolean isWord(int c) {
    return PatternParser.isDigit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
}
