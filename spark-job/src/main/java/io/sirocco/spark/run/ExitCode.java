package io.sirocco.spark.run;

/** What a command's exit code says; stable, for scripts. */
public final class ExitCode {
  public static final int DONE = 0;
  public static final int UNEXPECTED = 1;
  public static final int CONFIGURATION = 2;
  public static final int MODEL = 3;
  public static final int TOO_MANY_FAILURES = 4;

  /** Not done, but what is done is kept: the same command goes on. */
  public static final int RESUMABLE = 5;

  private ExitCode() {}
}
