package io.sirocco.engine;

import java.util.OptionalInt;

/** Why a row is not computed; travels from where it is found to the row's answer. */
final class RowRefusal extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient RowOutcome.Failed outcome;

  RowRefusal(RowErrorCode code, String message, OptionalInt tokens) {
    super(message);
    this.outcome = new RowOutcome.Failed(code, message, tokens);
  }

  RowRefusal(RowErrorCode code, String message) {
    this(code, message, OptionalInt.empty());
  }

  static RowRefusal tooLong(String tokens, EngineOptions options, int count) {
    return new RowRefusal(RowErrorCode.TOO_LONG, message(tokens, options), OptionalInt.of(count));
  }

  /** Found without counting. */
  static RowRefusal tooLong(String tokens, EngineOptions options) {
    return new RowRefusal(RowErrorCode.TOO_LONG, message(tokens, options));
  }

  private static String message(String tokens, EngineOptions options) {
    return tokens + " tokens, the limit (model.max-tokens) is " + options.maxTokens();
  }

  RowOutcome.Failed outcome() {
    return outcome;
  }

  /** Thrown for rows, by the million. */
  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }
}
