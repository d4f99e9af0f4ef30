package io.sirocco.engine;

/**
 * The engine has broken, or was found broken: it computes nothing any more, and the row at hand is
 * not to blame. What helps is to close it and to open another one.
 */
public final class EngineFailedException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  EngineFailedException(String problem) {
    super(problem);
  }

  /**
   * For what has ended the engine's thread. An Error is suppressed rather than the cause: it has
   * broken this engine, not the JVM, and who finds an Error among the causes, such as a Spark
   * executor, takes the whole JVM for lost.
   */
  static EngineFailedException of(Throwable problem) {
    EngineFailedException failure = new EngineFailedException("the engine has failed: " + problem);
    failure.addSuppressed(problem);
    return failure;
  }

  EngineFailedException(String problem, Throwable cause) {
    super(problem, cause);
  }
}
