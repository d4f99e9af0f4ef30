package io.sirocco.spark.job;

/** What a command's exit code says; stable, for scripts. */
final class ExitCode {
  static final int DONE = 0;
  static final int UNEXPECTED = 1;
  static final int CONFIGURATION = 2;
  static final int MODEL = 3;
  static final int TOO_MANY_FAILURES = 4;

  /** Not done, but what is done is kept: the same command goes on. */
  static final int RESUMABLE = 5;

  private ExitCode() {}
}
