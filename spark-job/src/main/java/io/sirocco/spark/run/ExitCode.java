package io.sirocco.spark.run;

/** What a command's exit code says; stable, for scripts. */
public final class ExitCode {
  /** Done, and failed rows are no more than allowed. */
  public static final int DONE = 0;

  /** A failure that nobody has thought of. */
  public static final int UNEXPECTED = 1;

  /** The job file or the command line has to be changed. */
  public static final int CONFIGURATION = 2;

  /** The model cannot be used. */
  public static final int MODEL = 3;

  /** Done, but more rows have failed than allowed. */
  public static final int TOO_MANY_FAILURES = 4;

  /** Not done, but what is done is kept: the same command goes on. */
  public static final int RESUMABLE = 5;

  private ExitCode() {}
}
