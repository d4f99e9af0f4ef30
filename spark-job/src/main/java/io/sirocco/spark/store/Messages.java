package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;

/** Errors about local copies, told of what they are copies of. */
final class Messages {
  private static final String SEPARATOR = ": ";

  private Messages() {}

  /** The same problem, with {@code source} wherever the message says {@code copy}. */
  static ModelException at(ModelException problem, String copy, String source) {
    String message = problem.getMessage().replace(copy, source);
    int end = message.indexOf(SEPARATOR);
    Throwable cause = problem.getCause() == null ? problem : problem.getCause();
    return new ModelException(
        message.substring(0, end), message.substring(end + SEPARATOR.length()), cause);
  }
}
