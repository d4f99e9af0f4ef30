package io.sirocco.tokenizer.convert;

/**
 * Reads a regular expression for how many steps back its matches can take: see {@link
 * SplitPattern}. Whatever it does not know is refused, so that it cannot be misread.
 */
final class PatternCost {
  /** Repetitions up to this are choices, not loops. */
  private static final int MAX_BOUNDED = 16;

  /** Choices in an alternative that also loops. */
  private static final long MAX_CHOICES = 4;

  private static final long MAX_CHOICES_WITHOUT_LOOP = 256;
  private static final int MAX_DEPTH = 8;
  private static final String ESCAPES = "sSdDwWrntfvbBAzZ";

  private final String pattern;
  private int at;

  /** The pattern is not one whose time is bounded. */
  static final class UnboundedException extends Exception {
    private static final long serialVersionUID = 1L;
  }

  /**
   * What a part of the pattern costs.
   *
   * @param loops repetitions without a bound
   * @param choices ways to match that the engine may try one after the other, loops aside
   * @param isOptional whether it matches in any case
   * @param isGroup whether it is more than one character, perhaps repeated
   */
  private record Cost(int loops, long choices, boolean isOptional, boolean isGroup) {}

  PatternCost(String pattern) {
    this.pattern = pattern;
  }

  /** Steps back for each character of a text, in all alternatives together. */
  long steps() throws UnboundedException {
    long steps = 0;
    do {
      Cost cost = sequence(0);
      steps += cost.loops() > 0 ? cost.choices() : 0;
    } while (skipped('|'));
    require(at == pattern.length());
    return steps;
  }

  private Cost sequence(int depth) throws UnboundedException {
    int loops = 0;
    long choices = 1;
    while (at < pattern.length() && peek() != '|' && peek() != ')') {
      Cost next = quantified(item(depth));
      if (loops >= 2) {
        // Behind the second loop nothing may send the engine back.
        require(next.isOptional());
        continue;
      }
      require(loops == 0 || next.loops() == 0 || !next.isGroup());
      loops += next.loops();
      choices *= next.choices();
      require(loops <= 2 && choices <= (loops > 0 ? MAX_CHOICES : MAX_CHOICES_WITHOUT_LOOP));
    }
    return new Cost(loops, choices, false, true);
  }

  private Cost item(int depth) throws UnboundedException {
    switch (next()) {
      case '\\' -> escape();
      case '[' -> characterClass();
      case '(' -> {
        return group(depth + 1);
      }
      case '*', '+', '?', '{', '}', ']' -> require(false);
      default -> {
        // A character, an anchor or the dot.
      }
    }
    return new Cost(0, 1, false, false);
  }

  private void escape() throws UnboundedException {
    char c = next();
    if (c == 'p' || c == 'P') {
      require(next() == '{');
      while (next() != '}') {
        // The name of a property.
      }
    } else {
      require(ESCAPES.indexOf(c) >= 0 || (c < 0x80 && !Character.isLetterOrDigit(c)));
    }
  }

  private void characterClass() throws UnboundedException {
    skipped('^');
    require(at < pattern.length() && peek() != ']');
    for (char c = next(); c != ']'; c = next()) {
      // Classes within classes end where the engine says, which is not for us to guess.
      require(c != '[');
      if (c == '\\') {
        escape();
      }
    }
  }

  private Cost group(int depth) throws UnboundedException {
    require(depth <= MAX_DEPTH);
    if (skipped('?')) {
      skipped('i');
      char kind = next();
      require(kind == ':' || (pattern.charAt(at - 2) == '?' && (kind == '!' || kind == '=')));
    }
    int loops = 0;
    long choices = 0;
    do {
      Cost cost = sequence(depth);
      loops += cost.loops();
      choices += cost.choices();
    } while (skipped('|'));
    require(at < pattern.length() && next() == ')' && loops <= 2);
    return new Cost(loops, choices, false, true);
  }

  private Cost quantified(Cost item) throws UnboundedException {
    if (at == pattern.length()) {
      return item;
    }
    switch (peek()) {
      case '?' -> {
        at++;
        boolean keepsItsChoice = suffix();
        return new Cost(
            item.loops(), item.choices() + (keepsItsChoice ? 0 : 1), true, item.isGroup());
      }
      case '*', '+' -> {
        require(!item.isGroup());
        boolean isOptional = next() == '*';
        suffix();
        return new Cost(1, 1, isOptional, false);
      }
      case '{' -> {
        require(!item.isGroup());
        at++;
        return bounds();
      }
      default -> {
        return item;
      }
    }
  }

  /** Skips what makes a quantifier lazy or possessive; whether it is the latter. */
  private boolean suffix() throws UnboundedException {
    boolean isPossessive = skipped('+');
    if (!isPossessive) {
      skipped('?');
    }
    requireNoQuantifier();
    return isPossessive;
  }

  private Cost bounds() throws UnboundedException {
    int least = number();
    int most = least;
    if (skipped(',')) {
      most = peek() == '}' ? Integer.MAX_VALUE : number();
    }
    require(next() == '}' && least <= most && least <= MAX_BOUNDED);
    requireNoQuantifier();
    return most > MAX_BOUNDED
        ? new Cost(1, 1, least == 0, false)
        : new Cost(0, most - least + 1L, least == 0, false);
  }

  private int number() throws UnboundedException {
    int value = 0;
    int digits = 0;
    while (Character.digit(peek(), 10) >= 0 && peek() < 0x80) {
      value = value * 10 + Character.digit(next(), 10);
      digits++;
      require(digits <= 6);
    }
    require(digits > 0);
    return value;
  }

  private void requireNoQuantifier() throws UnboundedException {
    require(at == pattern.length() || "*+?{".indexOf(peek()) < 0);
  }

  private boolean skipped(char expected) {
    boolean isThere = at < pattern.length() && pattern.charAt(at) == expected;
    at += isThere ? 1 : 0;
    return isThere;
  }

  private char next() throws UnboundedException {
    char c = peek();
    at++;
    return c;
  }

  private char peek() throws UnboundedException {
    require(at < pattern.length());
    return pattern.charAt(at);
  }

  private static void require(boolean isBounded) throws UnboundedException {
    if (!isBounded) {
      throw new UnboundedException();
    }
  }
}
