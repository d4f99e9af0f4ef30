package io.sirocco.template;

import io.sirocco.template.Token.Kind;
import java.util.LinkedHashMap;
import java.util.Map;

/** What follows a value: attributes, indices, slices, calls, filters and tests. */
final class PostfixParser {
  private static final String SELECT = "selectattr";
  private static final String EQUAL_TO = "equalto";

  private final TokenReader tokens;
  private final ExpressionParser expressions;

  PostfixParser(TokenReader tokens, ExpressionParser expressions) {
    this.tokens = tokens;
    this.expressions = expressions;
  }

  /** {@code .name}, {@code .items()}, {@code [...]}, as many as follow. */
  Expression parsePostfixes(Expression target) {
    Expression value = target;
    while (true) {
      if (tokens.isAtOperator(".")) {
        value = parseAttribute(value);
      } else if (tokens.isAtOperator("[")) {
        value = parseItem(value);
      } else if (tokens.isAtOperator("(")) {
        throw tokens.refused(
            tokens.peek(), "a call of this is not known; known are items() and " + functions());
      } else {
        return value;
      }
    }
  }

  private Expression parseAttribute(Expression target) {
    tokens.read();
    Token name = tokens.expect(Kind.NAME);
    if (tokens.skipOperator("(")) {
      if (!name.text().equals("items") || !tokens.skipOperator(")")) {
        throw tokens.refused(
            name,
            "the method '" + name.text() + "' with what follows is not known; known is items()");
      }
      return new Expression.ItemsCall(name.at(), target);
    }
    if (Access.DICT_METHODS.contains(name.text())) {
      throw tokens.refused(
          name,
          "'."
              + name.text()
              + "' is a method of Python's dict and not known; a key of that name is read by ['"
              + name.text()
              + "']");
    }
    return new Expression.Attribute(name.at(), target, name.text());
  }

  private Expression parseItem(Expression target) {
    Token bracket = tokens.read();
    Expression open = new Expression.Literal(bracket.at(), new Value.None(Origin.TEMPLATE));
    Expression start = tokens.isAtOperator(":") ? open : expressions.parse();
    if (!tokens.skipOperator(":")) {
      tokens.expectOperator("]");
      return new Expression.Item(bracket.at(), target, start);
    }
    boolean isOpen = tokens.isAtOperator("]") || tokens.isAtOperator(":");
    Expression stop = isOpen ? open : expressions.parse();
    if (tokens.isAtOperator(":")) {
      throw tokens.refused(tokens.peek(), "a slice's step is not known; known is [start:stop]");
    }
    tokens.expectOperator("]");
    return new Expression.Slice(bracket.at(), target, start, stop);
  }

  /** A call of the function {@code name}, which has been read. */
  Expression parseFunction(Token name) {
    if (!Names.FUNCTIONS.contains(name.text())) {
      throw tokens.refused(
          name, "the function '" + name.text() + "' is not known; known are " + functions());
    }
    tokens.expectOperator("(");
    return name.text().equals(Names.RAISE) ? parseRaise(name) : parseNamespace(name);
  }

  private Expression parseRaise(Token name) {
    Expression message = expressions.parse();
    tokens.expectOperator(")");
    return new Expression.RaiseCall(name.at(), message);
  }

  private Expression parseNamespace(Token name) {
    Map<String, Expression> attributes = new LinkedHashMap<>();
    while (!tokens.isAtOperator(")")) {
      if (!attributes.isEmpty()) {
        tokens.expectOperator(",");
      }
      Token attribute = tokens.expect(Kind.NAME);
      tokens.expectOperator("=");
      if (attributes.put(attribute.text(), expressions.parse()) != null) {
        throw tokens.refused(attribute, "'" + attribute.text() + "' is given twice");
      }
    }
    tokens.expectOperator(")");
    return new Expression.NamespaceCall(name.at(), attributes);
  }

  /** {@code |filter} and {@code is test}, as many as follow. */
  Expression parseFilters(Expression operand) {
    Expression value = operand;
    while (true) {
      if (tokens.skipOperator("|")) {
        value = parseFilter(value);
      } else if (tokens.skipWord("is")) {
        value = parseTest(value);
      } else if (tokens.isAtOperator("(")) {
        throw tokens.unexpected(tokens.peek(), "an operator or the end");
      } else {
        return value;
      }
    }
  }

  private Expression parseFilter(Expression operand) {
    Token name = tokens.expect(Kind.NAME);
    if (name.text().equals(SELECT)) {
      return parseSelect(name, operand);
    }
    Filter filter =
        Names.find(Filter.values(), Filter::word, name.text())
            .orElseThrow(
                () ->
                    tokens.refused(
                        name,
                        "the filter '"
                            + name.text()
                            + "' is not known; known are "
                            + SELECT
                            + ", "
                            + Names.known(Filter.values(), Filter::word)));
    if (tokens.skipOperator("(") && !tokens.skipOperator(")")) {
      throw tokens.refused(
          tokens.peek(), "an argument of the filter '" + name.text() + "' is not known");
    }
    return new Expression.FilterCall(name.at(), operand, filter);
  }

  private Expression parseSelect(Token name, Expression operand) {
    tokens.expectOperator("(");
    Token attribute = tokens.expect(Kind.STRING);
    if (!attribute.text().matches("[A-Za-z_][A-Za-z0-9_]*")) {
      throw tokens.refused(attribute, SELECT + " is known with a plain name as attribute");
    }
    tokens.expectOperator(",");
    Token test = tokens.expect(Kind.STRING);
    if (!test.text().equals(EQUAL_TO)) {
      throw tokens.refused(
          test, SELECT + " with the test '" + test.text() + "' is not known; known is " + EQUAL_TO);
    }
    tokens.expectOperator(",");
    Expression expected = expressions.parse();
    tokens.expectOperator(")");
    return new Expression.SelectAttribute(name.at(), operand, attribute.text(), expected);
  }

  private Expression parseTest(Expression operand) {
    boolean negated = tokens.skipWord("not");
    Token name = tokens.expect(Kind.NAME);
    TypeTest test =
        Names.find(TypeTest.values(), TypeTest::word, name.text())
            .orElseThrow(
                () ->
                    tokens.refused(
                        name,
                        "the test '"
                            + name.text()
                            + "' is not known; known are "
                            + Names.known(TypeTest.values(), TypeTest::word)));
    Token next = tokens.peek();
    boolean isArgument =
        switch (next.kind()) {
          case STRING, INTEGER, FLOAT -> true;
          case NAME -> !next.text().equals("and") && !next.text().equals("or");
          case OPERATOR -> "([{".contains(next.text());
          default -> false;
        };
    if (isArgument) {
      throw tokens.unexpected(
          next, "and, or, an operator or the end after 'is " + name.text() + "'");
    }
    Expression result = new Expression.TestCall(name.at(), operand, test);
    return negated ? new Expression.Not(name.at(), result) : result;
  }

  private static String functions() {
    return Names.NAMESPACE + "(), " + Names.RAISE + "()";
  }
}
