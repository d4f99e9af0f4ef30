package io.sirocco.tokenizer;

/** Repairs texts that are no Unicode. */
final class Surrogates {
  private Surrogates() {}

  /**
   * {@code text} with U+FFFD, one unit as well, for each lone surrogate. The native side would
   * replace every surrogate of such a text, paired ones too.
   */
  static String repaired(String text) {
    StringBuilder changed = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
        continue;
      }
      changed = changed == null ? new StringBuilder(text) : changed;
      changed.setCharAt(i, '\uFFFD');
    }
    return changed == null ? text : changed.toString();
  }
}
