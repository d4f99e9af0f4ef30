package io.sirocco.spark.run;

/** A job that has not come to its end, but what it has done is kept. */
public final class ResumableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ResumableException(String message, Throwable cause) {
    super(message, cause);
  }
}
