package io.sirocco.adapter;

/**
 * A set of ASCII characters, as many bits: to look one up takes the same time however it was
 * written. Module names have no others, see {@link ModulePattern.Text}.
 *
 * @param low characters 0 to 63
 * @param high characters 64 to 127
 */
record CharacterSet(long low, long high) {
  static final CharacterSet NONE = new CharacterSet(0, 0);
  static final CharacterSet DIGITS = range('0', '9');
  static final CharacterSet WORD =
      DIGITS.with(range('a', 'z')).with(range('A', 'Z')).with(range('_', '_'));
  static final CharacterSet SPACE = range('\t', '\r').with(range(' ', ' '));

  private static final char LAST = 127;

  /** Of {@code from} to {@code to}, both included; those beyond ASCII are left out. */
  static CharacterSet range(char from, char to) {
    CharacterSet set = NONE;
    for (int c = from; c <= Math.min(to, LAST); c++) {
      set =
          c < Long.SIZE
              ? new CharacterSet(set.low | 1L << c, set.high)
              : new CharacterSet(set.low, set.high | 1L << c);
    }
    return set;
  }

  static CharacterSet of(char c) {
    return range(c, c);
  }

  /** Those of both. */
  CharacterSet with(CharacterSet other) {
    return new CharacterSet(low | other.low, high | other.high);
  }

  CharacterSet not() {
    return new CharacterSet(~low, ~high);
  }

  /** {@code c}: ASCII. */
  boolean has(char c) {
    return ((c < Long.SIZE ? low : high) >>> c & 1) != 0;
  }
}
