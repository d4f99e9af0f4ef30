package io.sirocco.tokenizer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Finds added tokens in a text as the Rust library does: leftmost first, of those the longest, none
 * overlapping.
 *
 * <p>The patterns are sorted; a search narrows the range that agrees with the text character by
 * character. Time: the text's length times the longest pattern, but one look-up for each character
 * that begins no pattern.
 */
final class AddedTokenMatcher {
  /** What is looked for, and whose it is. */
  record Pattern(String text, AddedToken token) {}

  /** {@code token} at UTF-16 units {@code start} to {@code end}. */
  record Match(int start, int end, AddedToken token) {}

  /** Whether a token may be recognised at some units of the text. */
  interface Acceptance {
    boolean accepts(AddedToken token, int start, int end);
  }

  private final List<Pattern> patterns;
  private final BitSet firstUnits = new BitSet();

  /** Of two patterns with one text, the control token comes first, else the one listed first. */
  AddedTokenMatcher(List<Pattern> patterns) {
    List<Pattern> sorted = new ArrayList<>(patterns);
    sorted.sort(
        Comparator.comparing(Pattern::text).thenComparing(pattern -> !pattern.token().special()));
    this.patterns = List.copyOf(sorted);
    patterns.forEach(pattern -> firstUnits.set(pattern.text().charAt(0)));
  }

  /** The accepted matches in order. */
  List<Match> find(String text, Acceptance acceptance) {
    List<Match> matches = new ArrayList<>();
    for (int i = 0; i < text.length(); i++) {
      int found = firstUnits.get(text.charAt(i)) ? longestAt(text, i, acceptance) : -1;
      if (found < 0) {
        continue;
      }
      Pattern pattern = patterns.get(found);
      int end = i + pattern.text().length();
      // Like the library, a token that is no single word here is passed over, not searched again.
      if (!pattern.token().singleWord() || isSingleWord(text, i, end)) {
        matches.add(new Match(i, end, pattern.token()));
      }
      i = end - 1;
    }
    return matches;
  }

  /** Index of the longest accepted pattern at {@code start}, or -1. */
  private int longestAt(String text, int start, Acceptance acceptance) {
    int low = 0;
    int high = patterns.size();
    int longest = -1;
    for (int depth = 0; low < high; depth++) {
      int shorter = -1;
      while (low < high && patterns.get(low).text().length() == depth) {
        boolean accepted = acceptance.accepts(patterns.get(low).token(), start, start + depth);
        shorter = shorter < 0 && accepted ? low : shorter;
        low++;
      }
      longest = shorter < 0 ? longest : shorter;
      if (start + depth == text.length()) {
        break;
      }
      char unit = text.charAt(start + depth);
      high = firstAtLeast(unit + 1, depth, low, high);
      low = firstAtLeast(unit, depth, low, high);
    }
    return longest;
  }

  /** The first of patterns {@code low} to {@code high} whose unit at {@code depth} is not less. */
  private int firstAtLeast(int unit, int depth, int low, int high) {
    int from = low;
    int to = high;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (patterns.get(middle).text().charAt(depth) < unit) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  private static boolean isSingleWord(String text, int start, int end) {
    return (start == 0 || !isWord(text.codePointBefore(start)))
        && (end == text.length() || !isWord(text.codePointAt(end)));
  }

  /** The regex class {@code \w} of Unicode. */
  static boolean isWord(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.NON_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.COMBINING_SPACING_MARK,
          Character.DECIMAL_DIGIT_NUMBER,
          Character.CONNECTOR_PUNCTUATION ->
          true;
      default -> Character.isAlphabetic(codePoint) || codePoint == 0x200C || codePoint == 0x200D;
    };
  }

  /** The regex class {@code \s} of Unicode; Java's own notion leaves out no-break spaces. */
  static boolean isSpace(char c) {
    return switch (c) {
      case 0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 -> true;
      default -> (c >= 0x09 && c <= 0x0D) || (c >= 0x2000 && c <= 0x200A);
    };
  }
}
