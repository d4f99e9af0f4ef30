package io.sirocco.spark.job;

import io.sirocco.spark.exec.RunningTotals;
import io.sirocco.spark.exec.Totals;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** One line in the terminal, redrawn while the job runs; nothing where there is no terminal. */
final class Progress implements AutoCloseable {
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
    ScheduledExecutorService clock =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "sirocco-progress");
              thread.setDaemon(true);
              return thread;
            });
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
    // A task that ends in this moment may count twice.
    long done = Math.min(now.rows(), rows);
    out.print("\r" + line(done, rows, now.rowsFailed(), now.tokens(), seconds) + "  ");
    out.flush();
  }

  static String line(long done, long rows, long failed, long tokens, double seconds) {
    String left =
        done == 0 || done >= rows ? "" : ", " + duration(seconds / done * (rows - done)) + " left";
    return String.format(
        Locale.ROOT,
        "%,d of %,d rows (%d%%)%s, %,d tokens, %,.0f tokens/s%s",
        done,
        rows,
        rows == 0 ? 100 : 100 * done / rows,
        failed == 0 ? "" : String.format(Locale.ROOT, ", %,d failed", failed),
        tokens,
        tokens / seconds,
        left);
  }

  /** Such as 45s, 12m05s or 3h20m. */
  static String duration(double seconds) {
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
