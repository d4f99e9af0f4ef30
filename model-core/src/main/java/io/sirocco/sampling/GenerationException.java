package io.sirocco.sampling;

/** A row for which no token can be generated; the message says what was found and expected. */
public final class GenerationException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public GenerationException(String problem) {
    super(problem);
  }
}
