package io.sirocco.template;

/**
 * A request that its chat template does not render. The message says where in the template; {@link
 * #problem()} is the bare reason.
 */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int LONGEST_PROBLEM = 4000;

  /** Why a rendering ended. */
  public enum Kind {
    /** The template called {@code raise_exception}: it refuses this conversation. */
    RAISED,
    /** An operation on a value of the wrong type, such as adding none to a text. */
    VALUE,
    /** The work, the length of a text or the nesting of the request exceed their limits. */
    LIMIT,
    /** The request itself: no message, or no final message to continue. */
    REQUEST
  }

  private final Kind kind;
  private final String problem;
  private final int line;
  private final int column;

  TemplateException(Kind kind, String where, Position at, String problem) {
    super(where + ": " + at + ": " + shortened(problem));
    this.kind = kind;
    this.problem = shortened(problem);
    this.line = at.line();
    this.column = at.column();
  }

  /** A request that is refused before the template sees it, or after. */
  TemplateException(String where, String problem) {
    super(where + ": " + shortened(problem));
    this.kind = Kind.REQUEST;
    this.problem = shortened(problem);
    this.line = 0;
    this.column = 0;
  }

  public Kind kind() {
    return kind;
  }

  /** The reason alone; for {@link Kind#RAISED} the template's own words. */
  public String problem() {
    return problem;
  }

  /** Line in the template, from 1; 0 for {@link Kind#REQUEST}. */
  public int line() {
    return line;
  }

  /** Column in UTF-16 units, from 1; 0 for {@link Kind#REQUEST}. */
  public int column() {
    return column;
  }

  /** A template may raise a whole message of the row. */
  private static String shortened(String problem) {
    return problem.length() <= LONGEST_PROBLEM
        ? problem
        : problem.substring(0, LONGEST_PROBLEM) + "...";
  }
}
