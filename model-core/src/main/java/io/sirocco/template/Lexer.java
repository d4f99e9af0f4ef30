package io.sirocco.template;

import io.sirocco.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a template into text and tags, with the white space that Jinja drops under trim_blocks and
 * lstrip_blocks dropped: before a tag that begins with {@code -} and behind one that ends with it,
 * the indentation of a block or comment, and one newline behind it.
 */
final class Lexer {
  private final Source source;
  private final String text;
  private final List<Token> tokens = new ArrayList<>();
  private final TagLexer tags;
  private int position;

  /** Whether what was read last ended a line; true at the beginning. */
  private boolean startsLine = true;

  private Lexer(Source source) {
    this.source = source;
    this.text = source.text();
    this.tags = new TagLexer(source, tokens);
  }

  static List<Token> tokens(Source source) {
    Lexer lexer = new Lexer(source);
    int tag = lexer.nextTag();
    while (tag >= 0) {
      lexer.readTag(tag);
      tag = lexer.nextTag();
    }
    lexer.addData(lexer.position, lexer.text.length());
    lexer.tokens.add(new Token(Kind.END, "", source.position(lexer.text.length())));
    return lexer.tokens;
  }

  /** Where the next tag begins; negative if there is none. */
  private int nextTag() {
    int found = text.indexOf('{', position);
    while (found >= 0
        && (found + 1 == text.length() || "{%#".indexOf(text.charAt(found + 1)) < 0)) {
      found = text.indexOf('{', found + 1);
    }
    return found;
  }

  private void readTag(int begin) {
    char type = text.charAt(begin + 1);
    char sign = charAt(begin + 2);
    if (sign == '+') {
      throw source.refused(begin, "'{" + type + "+' is not known; known is '{" + type + "-'");
    }
    addData(position, sign == '-' ? stripped(begin) : type == '{' ? begin : unindented(begin));
    position = begin + (sign == '-' ? 3 : 2);
    if (type == '#') {
      skipComment(begin);
    } else if (type == '{') {
      readTokens(begin, Kind.PRINT_BEGIN, "}}");
    } else {
      readTokens(begin, Kind.BLOCK_BEGIN, "%}");
    }
    startsLine = text.charAt(position - 1) == '\n';
  }

  /** The end of the text before {@code begin} without the white space there. */
  private int stripped(int begin) {
    return position + PythonText.trimmedEnd(text.substring(position, begin));
  }

  /** The same, if there is only white space between the line's beginning and {@code begin}. */
  private int unindented(int begin) {
    int newline = text.substring(position, begin).lastIndexOf('\n');
    if (newline < 0 && !startsLine) {
      return begin;
    }
    int line = position + newline + 1;
    return stripped(begin) <= line ? line : begin;
  }

  private void skipComment(int begin) {
    int end = text.indexOf("#}", position);
    if (end < 0) {
      throw source.refused(begin, "the comment is not closed; expected '#}'");
    }
    char sign = end > position ? text.charAt(end - 1) : ' ';
    if (sign == '+') {
      throw source.refused(end - 1, "'+#}' is not known; known is '-#}'");
    }
    position = end + 2;
    skipWhiteSpace(sign == '-' ? Trim.ALL : Trim.NEWLINE);
  }

  private void readTokens(int begin, Kind kind, String end) {
    tokens.add(new Token(kind, text.substring(begin, position), source.position(begin)));
    position = tags.read(position, end);
    boolean strips = text.charAt(position - 3) == '-';
    skipWhiteSpace(strips ? Trim.ALL : kind == Kind.BLOCK_BEGIN ? Trim.NEWLINE : Trim.NOTHING);
  }

  private enum Trim {
    NOTHING,
    NEWLINE,
    ALL
  }

  private void skipWhiteSpace(Trim trim) {
    if (trim == Trim.NEWLINE && charAt(position) == '\n') {
      position++;
    }
    while (trim == Trim.ALL && position < text.length() && PythonText.isSpace(charAt(position))) {
      position++;
    }
  }

  private void addData(int start, int end) {
    if (end > start) {
      tokens.add(new Token(Kind.DATA, text.substring(start, end), source.position(start)));
    }
  }

  private char charAt(int index) {
    return index < text.length() ? text.charAt(index) : '\0';
  }
}
