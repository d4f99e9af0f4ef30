package io.sirocco.spark.job;

import io.sirocco.checkpoint.ByteCount;
import io.sirocco.convert.ConversionListener;
import io.sirocco.spark.run.Progress;
import java.io.PrintWriter;
import java.util.Locale;

/**
 * How far a conversion is: one line in a terminal, redrawn; elsewhere, such as in a log, a line for
 * each file. One thread at a time.
 */
final class CopyProgress implements ConversionListener, AutoCloseable {
  private static final long PERIOD_NANOSECONDS = 500_000_000;

  private final PrintWriter out;
  private final long start = System.nanoTime();

  @SuppressWarnings("SystemConsoleNull") // Java 22 and later start with another console: none runs.
  private final boolean terminal = System.console() != null;

  private long drawn = start - PERIOD_NANOSECONDS;
  private int shown;
  private String written = "";
  private String readBack = "";
  private String line = "";
  private String checked = "";

  CopyProgress(PrintWriter out) {
    this.out = out;
  }

  @Override
  public void at(long done, long total, String current) {
    line = line(done, total, current, (System.nanoTime() - start) * 1e-9);
    boolean another = !current.equals(written);
    written = current;
    show(another);
  }

  @Override
  public void readBack(long read, long bytes, String current) {
    checked = read == bytes ? "" : "; reading back " + 100 * read / bytes + "%";
    boolean another = !current.equals(readBack);
    readBack = current;
    show(another);
  }

  private void show(boolean another) {
    long now = System.nanoTime();
    if (terminal ? now - drawn >= PERIOD_NANOSECONDS : another) {
      drawn = now;
      out.print(terminal ? redrawn(line + checked) : line + checked + System.lineSeparator());
      out.flush();
    }
  }

  /** Over what was drawn before, which may have been longer. */
  private String redrawn(String text) {
    String over = "\r" + text + " ".repeat(Math.max(0, shown - text.length()));
    shown = text.length();
    return over;
  }

  static String line(long done, long total, String file, double seconds) {
    String left =
        done == 0 || done >= total
            ? ""
            : ", " + Progress.duration(seconds / done * (total - done)) + " left";
    return String.format(
        Locale.ROOT,
        "%s of %s (%d%%), %,.0f MB/s, %s%s",
        ByteCount.shown(done),
        ByteCount.shown(total),
        total == 0 ? 100 : 100 * done / total,
        seconds == 0 ? 0 : done / seconds / 1e6,
        file,
        left);
  }

  /** Leaves the line as it is at the end. */
  @Override
  public void close() {
    if (!line.isEmpty()) {
      out.print((terminal ? redrawn(line) : line) + System.lineSeparator());
      out.flush();
    }
  }
}
