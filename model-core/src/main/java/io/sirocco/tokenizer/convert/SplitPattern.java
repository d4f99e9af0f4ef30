package io.sirocco.tokenizer.convert;

import java.util.Optional;
import java.util.Set;

/**
 * A regular expression that cuts text into words, judged before the tokenizers library runs it.
 *
 * <p>The library's engine backtracks, and gives up after ten million steps back within one match,
 * which ends the JVM. So a pattern must not take more steps than a small multiple of the text's
 * length: in each of its alternatives, at most two repetitions have no bound, the second is of one
 * character, and nothing behind it can fail. Groups are not repeated, and nothing refers back.
 *
 * @param pattern the regular expression
 * @param steps steps back within one match for each character of a text, at most
 */
public record SplitPattern(String pattern, long steps) {
  private static final int MAX_LENGTH = 4096;

  /** Longest text for the patterns of Mistral's own files, in UTF-16 units. */
  private static final int MAX_TEXT = 1 << 21;

  private static final int MAX_TEXT_OF_OTHERS = 1 << 16;

  /** Below the ten million that end the JVM. */
  private static final long MAX_STEPS_OF_MATCH = 1L << 23;

  /**
   * For all positions of a text, each of which may cost as many steps as there are characters
   * behind it: a minute.
   */
  private static final double MAX_STEPS = 0x9p32;

  /** Of which no text makes more than a few steps for each character, all matches together. */
  private static final Set<String> KNOWN =
      Set.of(
          // tekken.json
          "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
              + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}"
              + "\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
          // tokenizer.json of many models that transformers before 5.0 has saved
          "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
              + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");

  /**
   * Judges a pattern.
   *
   * @return empty if it may take more time than a text is worth, or uses what is not known here
   */
  public static Optional<SplitPattern> of(String pattern) {
    if (pattern.isEmpty() || pattern.length() > MAX_LENGTH) {
      return Optional.empty();
    }
    try {
      return Optional.of(new SplitPattern(pattern, new PatternCost(pattern).steps()));
    } catch (PatternCost.UnboundedException e) {
      return Optional.empty();
    }
  }

  /** What is asked of a pattern, for messages. */
  public static String rule() {
    return "patterns are not run if they are empty, longer than "
        + MAX_LENGTH
        + " characters, repeat a group, refer back to one, or have repetitions in a row, since their"
        + " time has no bound";
  }

  /** Longest text, in UTF-16 units, that the library may be given with this pattern. */
  public int maxTextLength() {
    if (KNOWN.contains(pattern)) {
      return MAX_TEXT;
    }
    long each = Math.max(1, steps);
    long longest = Math.min(MAX_STEPS_OF_MATCH / each, (long) Math.sqrt(MAX_STEPS / each));
    return (int) Math.min(MAX_TEXT_OF_OTHERS, longest);
  }
}
