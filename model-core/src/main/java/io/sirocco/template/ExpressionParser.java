package io.sirocco.template;

import io.sirocco.template.Expression.Comparator;
import io.sirocco.template.Expression.Comparison;
import io.sirocco.template.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Expressions, loosest operator first: {@code or}, {@code and}, {@code not}, {@code ==} and {@code
 * !=}, {@code +}, {@code %}, the unary minus, then filters and tests, then {@code .}, {@code []}
 * and calls.
 */
final class ExpressionParser {
  private static final int MAX_NESTING = 50;

  private final TokenReader tokens;
  private final PostfixParser postfixes;
  private final Set<String> names = new HashSet<>();
  private int nesting;
  private int loops;

  ExpressionParser(TokenReader tokens) {
    this.tokens = tokens;
    this.postfixes = new PostfixParser(tokens, this);
  }

  /** Variables that the template mentions. */
  Set<String> names() {
    return names;
  }

  /** What follows is in the body of one more loop. */
  void enterLoop() {
    loops++;
  }

  void leaveLoop() {
    loops--;
  }

  Expression parse() {
    Token first = tokens.peek();
    nesting++;
    if (nesting > MAX_NESTING) {
      throw tokens.refused(first, "expressions are nested deeper than " + MAX_NESTING + " levels");
    }
    Expression left = parseAnd();
    while (tokens.isAtWord("or")) {
      Position at = tokens.read().at();
      left = new Expression.Or(at, left, parseAnd());
    }
    nesting--;
    return left;
  }

  private Expression parseAnd() {
    Expression left = parseNot();
    while (tokens.isAtWord("and")) {
      Position at = tokens.read().at();
      left = new Expression.And(at, left, parseNot());
    }
    return left;
  }

  private Expression parseNot() {
    List<Position> nots = new ArrayList<>();
    while (tokens.isAtWord("not")) {
      nots.add(0, tokens.read().at());
    }
    Expression operand = parseComparison();
    for (Position at : nots) {
      operand = new Expression.Not(at, operand);
    }
    return operand;
  }

  private Expression parseComparison() {
    Expression first = parseSum();
    List<Comparison> comparisons = new ArrayList<>();
    while (tokens.isAtOperator("==") || tokens.isAtOperator("!=")) {
      Token token = tokens.read();
      Comparator comparator = token.text().equals("==") ? Comparator.EQUAL : Comparator.UNEQUAL;
      comparisons.add(new Comparison(token.at(), comparator, parseSum()));
    }
    return comparisons.isEmpty() ? first : new Expression.Compare(first, comparisons);
  }

  private Expression parseSum() {
    Expression left = parseProduct();
    while (tokens.isAtOperator("+")) {
      Position at = tokens.read().at();
      left = new Expression.Add(at, left, parseProduct());
    }
    return left;
  }

  private Expression parseProduct() {
    Expression left = parseUnary();
    while (tokens.isAtOperator("%")) {
      Token token = tokens.read();
      if (left instanceof Expression.Literal literal && literal.value() instanceof Text) {
        throw tokens.refused(token, "'%' of a string is not known; text is joined by '+'");
      }
      left = new Expression.Modulo(token.at(), left, parseUnary());
    }
    return left;
  }

  private Expression parseUnary() {
    List<Position> signs = new ArrayList<>();
    while (tokens.isAtOperator("-")) {
      signs.add(0, tokens.read().at());
    }
    Expression operand = postfixes.parsePostfixes(parsePrimary());
    for (Position at : signs) {
      operand = new Expression.Negate(at, operand);
    }
    return postfixes.parseFilters(operand);
  }

  private Expression parsePrimary() {
    Token token = tokens.peek();
    if (tokens.skipOperator("(")) {
      Expression inner = parse();
      tokens.expectOperator(")");
      return inner;
    }
    return switch (token.kind()) {
      case STRING -> literal(Text.of(token.text(), Origin.TEMPLATE));
      case INTEGER -> literal(new Value.Int(new BigInteger(token.text()), Origin.TEMPLATE));
      case FLOAT -> literal(new Value.Real(Double.parseDouble(token.text()), Origin.TEMPLATE));
      case NAME -> parseName();
      default ->
          throw tokens.unexpected(
              token, "a value: a literal, a name, '-' or an expression in '()'");
    };
  }

  private Expression literal(Value value) {
    return new Expression.Literal(tokens.read().at(), value);
  }

  private Expression parseName() {
    Token token = tokens.peek();
    String name = token.text();
    if (Names.OPERATORS.contains(name)) {
      throw tokens.unexpected(token, "a value");
    }
    switch (name) {
      case "true", "True" -> {
        return literal(new Value.Bool(Truth.TRUE, Origin.TEMPLATE));
      }
      case "false", "False" -> {
        return literal(new Value.Bool(Truth.FALSE, Origin.TEMPLATE));
      }
      case "none", "None" -> {
        return literal(new Value.None(Origin.TEMPLATE));
      }
      default -> tokens.read();
    }
    if (tokens.isAtOperator("(") || Names.FUNCTIONS.contains(name)) {
      return postfixes.parseFunction(token);
    }
    if (Names.UNKNOWN_FUNCTIONS.contains(name)) {
      throw tokens.refused(token, "'" + name + "' of Jinja is not known here");
    }
    if (name.equals(Names.LOOP) && loops > 0) {
      return parseLoopField(token);
    }
    names.add(name);
    return new Expression.Name(token.at(), name);
  }

  private Expression parseLoopField(Token loop) {
    String known = "known are loop." + Names.known(Loop.Field.values(), Loop.Field::word);
    if (!tokens.skipOperator(".")) {
      throw tokens.refused(loop, "'loop' by itself is not known; " + known);
    }
    Token field = tokens.expect(Kind.NAME);
    return Names.find(Loop.Field.values(), Loop.Field::word, field.text())
        .map(found -> new Expression.LoopField(loop.at(), found))
        .orElseThrow(
            () -> tokens.refused(field, "'loop." + field.text() + "' is not known; " + known));
  }
}
