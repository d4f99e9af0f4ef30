package io.sirocco.checkpoint;

import java.util.Locale;

/** Numbers of bytes as messages and reports have them. */
public final class ByteCount {
  private ByteCount() {}

  /**
   * In MiB below 1 GiB, in GiB from there on, with one digit behind the point: {@code 13.5 GiB}.
   */
  public static String shown(long bytes) {
    return bytes < 1L << 30
        ? String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1L << 20))
        : String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
