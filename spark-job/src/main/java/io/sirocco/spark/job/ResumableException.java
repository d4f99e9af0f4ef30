package io.sirocco.spark.job;

/** A job that has not come to its end, but what it has done is kept. */
final class ResumableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ResumableException(String message, Throwable cause) {
    super(message, cause);
  }
}
