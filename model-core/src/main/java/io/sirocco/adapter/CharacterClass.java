package io.sirocco.adapter;

import io.sirocco.checkpoint.ModelException;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntConsumer;

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
  CharacterSet read(IntConsumer end) {
    boolean not = at < pattern.length() && pattern.charAt(at) == '^';
    at += not ? 1 : 0;
    CharacterSet any = CharacterSet.NONE;
    int first = at;
    while (true) {
      if (at >= pattern.length()) {
        throw problem.apply("lacks a ]");
      }
      if (pattern.charAt(at) == ']' && at > first) {
        break;
      }
      any = any.with(next());
    }
    end.accept(at + 1);
    return not ? any.not() : any;
  }

  private CharacterSet next() {
    char from = pattern.charAt(at++);
    if (from == '\\') {
      char c = at < pattern.length() ? pattern.charAt(at++) : ' ';
      return escaped(c).orElseThrow(() -> problem.apply("has \\" + c + ", which is not supported"));
    }
    boolean range =
        at + 1 < pattern.length() && pattern.charAt(at) == '-' && pattern.charAt(at + 1) != ']';
    if (!range) {
      return CharacterSet.of(from);
    }
    char to = pattern.charAt(at + 1);
    if (to == '\\' || to < from) {
      throw problem.apply("has a range that is none");
    }
    at += 2;
    return CharacterSet.range(from, to);
  }

  /** What a backslash and {@code c} stand for, as far as it is one character. */
  static Optional<CharacterSet> escaped(char c) {
    return switch (c) {
      case 'd' -> Optional.of(CharacterSet.DIGITS);
      case 'D' -> Optional.of(CharacterSet.DIGITS.not());
      case 'w' -> Optional.of(CharacterSet.WORD);
      case 'W' -> Optional.of(CharacterSet.WORD.not());
      case 's' -> Optional.of(CharacterSet.SPACE);
      case 'S' -> Optional.of(CharacterSet.SPACE.not());
      default -> Character.isLetterOrDigit(c) ? Optional.empty() : Optional.of(CharacterSet.of(c));
    };
  }
}
