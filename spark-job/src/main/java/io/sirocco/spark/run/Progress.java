package io.sirocco.spark.run;

import io.sirocco.spark.exec.DaemonTimer;
import io.sirocco.spark.exec.RunningTotals;
import io.sirocco.spark.exec.Totals;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** One line in the terminal, redrawn while the job runs; nothing where there is no terminal. */
public final class Progress implements AutoCloseable {
  private static final long PERIOD_MILLISECONDS = 500;

  private final PrintWriter out;
  private final RunningTotals totals;
  private final long rows;
  private final long start = System.nanoTime();
  private final ScheduledExecutorService clock;

  private Progress(
      PrintWriter out, RunningTotals totals, long rows, ScheduledExecutorService clock) {
    this.out = out;
    this.totals = totals;
    this.rows = rows;
    this.clock = clock;
  }

  /** {@code rows}: those to come. {@code totals} is closed along with the progress line. */
  static Progress of(PrintWriter out, RunningTotals totals, long rows) {
    ScheduledExecutorService clock = DaemonTimer.named("sirocco-progress");
    return new Progress(out, totals, rows, clock);
  }

  /** Draws from now on, until it is closed. */
  void start() {
    if (atTerminal()) {
      Future<?> unused =
          clock.scheduleAtFixedRate(
              this::draw, PERIOD_MILLISECONDS, PERIOD_MILLISECONDS, TimeUnit.MILLISECONDS);
    }
  }

  @SuppressWarnings("SystemConsoleNull") // Java 22 and later start with another console: none runs.
  private static boolean atTerminal() {
    return System.console() != null;
  }

  private void draw() {
    double seconds = (System.nanoTime() - start) * 1e-9;
    Totals now = totals.now();
    out.print("\r" + line(now, rows, seconds) + "  ");
    out.flush();
  }

  /** {@code rows}: all that there will be. */
  static String line(Totals now, long rows, double seconds) {
    // A task that ends in this moment may count twice.
    long done = Math.min(now.rows(), rows);
    String left =
        done == 0 || done >= rows ? "" : ", " + duration(seconds / done * (rows - done)) + " left";
    return String.format(
        Locale.ROOT,
        "%,d of %,d rows (%d%%)%s, %s%s",
        done,
        rows,
        rows == 0 ? 100 : 100 * done / rows,
        now.rowsFailed() == 0 ? "" : String.format(Locale.ROOT, ", %,d failed", now.rowsFailed()),
        tokens(now, seconds),
        left);
  }

  /** How many tokens were read, and written where any were, and how fast. */
  static String tokens(Totals totals, double seconds) {
    if (totals.finishReasons().isEmpty()) {
      return String.format(
          Locale.ROOT, "%,d tokens, %,.0f tokens/s", totals.tokens(), totals.tokens() / seconds);
    }
    return String.format(
        Locale.ROOT,
        "%,d prompt tokens, %,.0f tokens/s, %,d generated tokens, %,.0f tokens/s",
        totals.tokens(),
        totals.tokens() / seconds,
        totals.generatedTokens(),
        totals.generatedTokens() / seconds);
  }

  /** Such as 45s, 12m05s or 3h20m. */
  public static String duration(double seconds) {
    long whole = Math.round(seconds);
    if (whole < 60) {
      return whole + "s";
    }
    return whole < 3600
        ? String.format(Locale.ROOT, "%dm%02ds", whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%dh%02dm", whole / 3600, whole / 60 % 60);
  }

  @Override
  public void close() {
    clock.shutdownNow();
    totals.close();
    if (atTerminal()) {
      draw();
      out.println();
      out.flush();
    }
  }
}
