package io.sirocco.template;

/** Escapes in string literals, as Python's unicode-escape reads them. */
final class StringEscape {
  private static final String SHORT = "\\'\"abfnrtv";
  private static final String MEANING = "\\'\"\u0007\b\f\n\r\t\u000b";

  private StringEscape() {}

  /** Appends what the escape at {@code backslash} stands for; the position behind it. */
  static int read(Source source, int backslash, StringBuilder value) {
    String text = source.text();
    if (backslash + 1 >= text.length()) {
      throw source.refused(backslash, "the string is not closed");
    }
    char c = text.charAt(backslash + 1);
    int known = SHORT.indexOf(c);
    if (known >= 0) {
      value.append(MEANING.charAt(known));
      return backslash + 2;
    }
    if (c >= '0' && c <= '7') {
      return octal(text, backslash + 1, value);
    }
    return switch (c) {
      case '\n' -> backslash + 2;
      case 'x' -> hexadecimal(source, backslash, 2, value);
      case 'u' -> hexadecimal(source, backslash, 4, value);
      case 'U' -> hexadecimal(source, backslash, 8, value);
      default -> {
        if (c == 'N' || c >= 0x80) {
          throw source.refused(backslash, "the escape '\\" + c + "' is not known");
        }
        value.append('\\').append(c);
        yield backslash + 2;
      }
    };
  }

  private static int octal(String text, int begin, StringBuilder value) {
    int end = begin;
    int code = 0;
    while (end < Math.min(begin + 3, text.length())
        && text.charAt(end) >= '0'
        && text.charAt(end) <= '7') {
      code = 8 * code + text.charAt(end) - '0';
      end++;
    }
    value.appendCodePoint(code);
    return end;
  }

  private static int hexadecimal(Source source, int backslash, int digits, StringBuilder value) {
    int begin = backslash + 2;
    int end = begin + digits;
    String text = source.text();
    if (end > text.length() || !text.substring(begin, end).matches("[0-9a-fA-F]+")) {
      throw source.refused(backslash, "the escape has fewer than " + digits + " digits");
    }
    long code = Long.parseLong(text.substring(begin, end), 16);
    boolean isSurrogate = code >= 0xd800 && code <= 0xdfff;
    if (code > Character.MAX_CODE_POINT || isSurrogate) {
      throw source.refused(backslash, "the escape does not stand for a character");
    }
    value.appendCodePoint((int) code);
    return end;
  }
}
