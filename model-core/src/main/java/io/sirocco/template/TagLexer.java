package io.sirocco.template;

import io.sirocco.template.Token.Kind;
import java.util.List;
import java.util.function.IntPredicate;

/** Cuts the inside of a tag into names, literals and operators. */
final class TagLexer {
  /** Bounds the depth of what is parsed and evaluated; the longest tag of Mistral's has 33. */
  private static final int MAX_TOKENS = 500;

  private static final int MAX_DIGITS = 100;
  private static final List<String> LONG_OPERATORS = List.of("**", "//", "==", "!=", ">=", "<=");
  private static final String OPERATORS = "+-*/%~|.,:;()[]{}<>=";

  private final Source source;
  private final String text;
  private final List<Token> tokens;

  /** Tokens are added to {@code tokens}. */
  TagLexer(Source source, List<Token> tokens) {
    this.source = source;
    this.text = source.text();
    this.tokens = tokens;
  }

  /** Reads from {@code begin} to behind {@code end}, or {@code -} and {@code end}. */
  int read(int begin, String end) {
    int position = begin;
    int limit = tokens.size() + MAX_TOKENS;
    while (true) {
      position = scan(position, PythonText::isSpace);
      if (position >= text.length()) {
        throw source.refused(begin, "the tag is not closed; expected '" + end + "'");
      }
      int signs = text.startsWith(end, position) ? 0 : 1;
      if (text.startsWith(end, position + signs)
          && (signs == 0 || text.charAt(position) == '-' || text.charAt(position) == '+')) {
        if (signs == 1 && text.charAt(position) == '+') {
          throw source.refused(position, "'+" + end + "' is not known; known is '-" + end + "'");
        }
        add(Kind.TAG_END, "", position);
        return position + signs + end.length();
      }
      if (tokens.size() == limit) {
        throw source.refused(begin, "the tag has more than " + MAX_TOKENS + " parts");
      }
      position = readToken(position);
    }
  }

  private int readToken(int begin) {
    char c = text.charAt(begin);
    if (isNameStart(c)) {
      int end = scan(begin, TagLexer::isNamePart);
      add(Kind.NAME, text.substring(begin, end), begin);
      return end;
    }
    if (isDigit(c)) {
      return readNumber(begin);
    }
    if (c == '\'' || c == '"') {
      return readString(begin, c);
    }
    for (String operator : LONG_OPERATORS) {
      if (text.startsWith(operator, begin)) {
        add(Kind.OPERATOR, operator, begin);
        return begin + operator.length();
      }
    }
    if (OPERATORS.indexOf(c) < 0) {
      String shown = Character.toString(text.codePointAt(begin));
      throw source.refused(begin, "unexpected character '" + shown + "'");
    }
    add(Kind.OPERATOR, String.valueOf(c), begin);
    return begin + 1;
  }

  private int readNumber(int begin) {
    int end = scan(begin, TagLexer::isDigit);
    Kind kind = Kind.INTEGER;
    if (end + 1 < text.length() && text.charAt(end) == '.' && isDigit(text.charAt(end + 1))) {
      kind = Kind.FLOAT;
      end = scan(end + 1, TagLexer::isDigit);
    }
    int exponent = exponentEnd(end);
    if (exponent > end) {
      kind = Kind.FLOAT;
      end = exponent;
    }
    String number = text.substring(begin, end);
    boolean isOctalLike = kind == Kind.INTEGER && number.matches("0+[1-9]\\d*");
    if (isOctalLike || (end < text.length() && isNamePart(text.charAt(end)))) {
      throw source.refused(begin, "not a number; known are decimal integers and floats");
    }
    if (end - begin > MAX_DIGITS) {
      throw source.refused(begin, "a number has more than " + MAX_DIGITS + " characters");
    }
    add(kind, number, begin);
    return end;
  }

  /** Behind {@code e-5} at {@code begin}; {@code begin} if there is no such thing. */
  private int exponentEnd(int begin) {
    if (begin >= text.length() || "eE".indexOf(text.charAt(begin)) < 0) {
      return begin;
    }
    int digits = begin + 1;
    if (digits < text.length() && "+-".indexOf(text.charAt(digits)) >= 0) {
      digits++;
    }
    int end = scan(digits, TagLexer::isDigit);
    return end > digits ? end : begin;
  }

  private int readString(int begin, char quote) {
    StringBuilder value = new StringBuilder();
    int position = begin + 1;
    while (position < text.length() && text.charAt(position) != quote) {
      if (text.charAt(position) == '\\') {
        position = StringEscape.read(source, position, value);
      } else {
        value.append(text.charAt(position));
        position++;
      }
    }
    if (position >= text.length()) {
      throw source.refused(begin, "the string is not closed; expected " + quote);
    }
    add(Kind.STRING, value.toString(), begin);
    return position + 1;
  }

  private void add(Kind kind, String value, int begin) {
    tokens.add(new Token(kind, value, source.position(begin)));
  }

  private int scan(int begin, IntPredicate accepted) {
    int end = begin;
    while (end < text.length() && accepted.test(text.charAt(end))) {
      end++;
    }
    return end;
  }

  private static boolean isDigit(int c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isNameStart(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }

  private static boolean isNamePart(int c) {
    return isNameStart(c) || isDigit(c);
  }
}
