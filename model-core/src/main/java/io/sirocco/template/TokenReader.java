package io.sirocco.template;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.template.Token.Kind;
import java.util.List;

/** The tokens of a template, one after the other, and the refusal of those that do not fit. */
final class TokenReader {
  private final Source source;
  private final List<Token> tokens;
  private int next;

  TokenReader(Source source) {
    this.source = source;
    this.tokens = Lexer.tokens(source);
  }

  /** The token to be read next; stays at the last. */
  Token peek() {
    return tokens.get(next);
  }

  Token read() {
    Token token = tokens.get(next);
    next = Math.min(next + 1, tokens.size() - 1);
    return token;
  }

  boolean isAt(Kind kind, String text) {
    return peek().is(kind, text);
  }

  boolean isAtOperator(String text) {
    return isAt(Kind.OPERATOR, text);
  }

  boolean isAtWord(String text) {
    return isAt(Kind.NAME, text);
  }

  /** Reads the operator if it comes next. */
  boolean skipOperator(String text) {
    boolean found = isAtOperator(text);
    if (found) {
      read();
    }
    return found;
  }

  boolean skipWord(String text) {
    boolean found = isAtWord(text);
    if (found) {
      read();
    }
    return found;
  }

  void expectOperator(String text) {
    if (!skipOperator(text)) {
      throw unexpected(peek(), "'" + text + "'");
    }
  }

  void expectWord(String text) {
    if (!skipWord(text)) {
      throw unexpected(peek(), "'" + text + "'");
    }
  }

  Token expect(Kind kind) {
    if (peek().kind() != kind) {
      throw unexpected(peek(), kind.description());
    }
    return read();
  }

  ModelException unexpected(Token found, String expected) {
    return refused(found, "found " + found.shown() + ", expected " + expected);
  }

  /** What {@code token} begins is outside of what is known. */
  ModelException refused(Token token, String problem) {
    return source.refused(token.at(), problem);
  }
}
