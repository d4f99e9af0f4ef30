package io.sirocco.template;

import io.sirocco.template.Statement.Branch;
import io.sirocco.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A template's source becomes statements; what is not known is refused with its place and name. */
final class Parser {
  private static final int MAX_NESTING = 50;
  private static final String KNOWN_TAGS = "for, endfor, if, elif, else, endif, set";

  private final TokenReader tokens;
  private final ExpressionParser expressions;
  private int nesting;

  private Parser(Source source) {
    this.tokens = new TokenReader(source);
    this.expressions = new ExpressionParser(tokens);
  }

  /** A parsed template and the variables that it mentions. */
  record Program(List<Statement> statements, Set<String> names) {}

  static Program parse(Source source) {
    Parser parser = new Parser(source);
    List<Statement> statements = parser.parseBody(Set.of());
    return new Program(statements, Set.copyOf(parser.expressions.names()));
  }

  /**
   * Statements up to a tag that begins with one of {@code ends}, whose name is next; or, if there
   * are none, up to the end of the template.
   */
  private List<Statement> parseBody(Set<String> ends) {
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = tokens.read();
      switch (token.kind()) {
        case DATA ->
            statements.add(new Statement.Data(token.at(), Text.of(token.text(), Origin.TEMPLATE)));
        case PRINT_BEGIN -> {
          statements.add(new Statement.Print(token.at(), expressions.parse()));
          tokens.expect(Kind.TAG_END);
        }
        case BLOCK_BEGIN -> {
          if (tokens.peek().kind() == Kind.NAME && ends.contains(tokens.peek().text())) {
            return statements;
          }
          statements.add(parseBlock());
        }
        default -> {
          if (!ends.isEmpty()) {
            throw tokens.unexpected(token, "one of the tags " + ends.stream().sorted().toList());
          }
          return statements;
        }
      }
    }
  }

  private Statement parseBlock() {
    Token tag = tokens.expect(Kind.NAME);
    nesting++;
    if (nesting > MAX_NESTING) {
      throw tokens.refused(tag, "tags are nested deeper than " + MAX_NESTING + " levels");
    }
    Statement statement =
        switch (tag.text()) {
          case "for" -> parseFor(tag);
          case "if" -> parseIf(tag);
          case "set" -> parseSet(tag);
          case "elif", "else", "endif", "endfor" ->
              throw tokens.refused(tag, "the tag '" + tag.text() + "' has no beginning here");
          default ->
              throw tokens.refused(
                  tag, "the tag '" + tag.text() + "' is not known; known are " + KNOWN_TAGS);
        };
    nesting--;
    return statement;
  }

  private Statement parseFor(Token tag) {
    List<String> targets = new ArrayList<>();
    targets.add(parseTarget());
    while (tokens.skipOperator(",")) {
      targets.add(parseTarget());
    }
    tokens.expectWord("in");
    Expression source = expressions.parse();
    Optional<Expression> condition =
        tokens.skipWord("if") ? Optional.of(expressions.parse()) : Optional.empty();
    tokens.expect(Kind.TAG_END);
    expressions.enterLoop();
    List<Statement> body = parseBody(Set.of("endfor", "else"));
    expressions.leaveLoop();
    if (tokens.isAtWord("else")) {
      throw tokens.refused(tokens.peek(), "'else' of a 'for' is not known");
    }
    tokens.read();
    tokens.expect(Kind.TAG_END);
    return new Statement.For(tag.at(), new Statement.ForHead(targets, source, condition), body);
  }

  private Statement parseIf(Token tag) {
    List<Branch> branches = new ArrayList<>();
    do {
      Expression condition = expressions.parse();
      tokens.expect(Kind.TAG_END);
      branches.add(new Branch(condition, parseBody(Set.of("elif", "else", "endif"))));
    } while (tokens.skipWord("elif"));
    List<Statement> otherwise = List.of();
    if (tokens.skipWord("else")) {
      tokens.expect(Kind.TAG_END);
      otherwise = parseBody(Set.of("endif"));
    }
    tokens.expectWord("endif");
    tokens.expect(Kind.TAG_END);
    return new Statement.If(tag.at(), branches, otherwise);
  }

  private Statement parseSet(Token tag) {
    String name = parseTarget();
    Optional<String> attribute =
        tokens.skipOperator(".") ? Optional.of(tokens.expect(Kind.NAME).text()) : Optional.empty();
    if (!tokens.skipOperator("=")) {
      throw tokens.unexpected(
          tokens.peek(), "'='; known are set name = value and set namespace.name = value");
    }
    Expression value = expressions.parse();
    tokens.expect(Kind.TAG_END);
    return attribute.isPresent()
        ? new Statement.SetAttribute(tag.at(), name, attribute.get(), value)
        : new Statement.SetName(tag.at(), name, value);
  }

  private String parseTarget() {
    Token token = tokens.expect(Kind.NAME);
    String name = token.text();
    boolean isReserved =
        name.equals(Names.LOOP)
            || Names.OPERATORS.contains(name)
            || Names.CONSTANTS.contains(name)
            || Names.FUNCTIONS.contains(name)
            || Names.UNKNOWN_FUNCTIONS.contains(name);
    if (isReserved) {
      throw tokens.refused(token, "'" + name + "' cannot be set");
    }
    return name;
  }
}
