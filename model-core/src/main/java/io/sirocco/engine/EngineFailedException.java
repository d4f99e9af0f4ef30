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

  EngineFailedException(String problem, Throwable cause) {
    super(problem, cause);
  }
}
