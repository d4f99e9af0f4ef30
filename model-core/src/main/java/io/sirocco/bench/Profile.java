package io.sirocco.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Where a test's time went.
 *
 * @param test with its precision
 * @param seconds of all its repetitions, by the clock
 * @param peakFlops of the bare product, operations a second
 * @param lines the longest first; together they are all of the time
 */
public record Profile(String test, double seconds, double peakFlops, List<Line> lines) {
  /** What is not an operation of the kernels: Java between them, and waiting. */
  public static final String BETWEEN = "between operations";

  /**
   * What one kind of operation took.
   *
   * @param operation its name, with the size {@code N x K} of a product's weight
   * @param flop of its matrix products, attention's with what the masks of its blocks hide; 0 of
   *     others
   */
  public record Line(String operation, long calls, double seconds, double flop) {}

  /**
   * What kernels have noted.
   *
   * @param seconds that passed by the clock meanwhile
   */
  record Notes(double seconds, List<Line> lines) {}

  public Profile {
    lines = List.copyOf(lines);
  }

  static Profile of(String test, Notes notes, double peakFlops) {
    List<Line> lines = new ArrayList<>(notes.lines());
    double within = lines.stream().mapToDouble(Line::seconds).sum();
    lines.add(new Line(BETWEEN, 0, notes.seconds() - within, 0));
    lines.sort(Comparator.comparingDouble(Line::seconds).reversed());
    return new Profile(test, notes.seconds(), peakFlops, lines);
  }

  /** Share of the time, 0 to 1. */
  public double share(Line line) {
    return line.seconds() / seconds;
  }

  /**
   * Share of the time that would not have been needed at the bare product's rate; those of all
   * lines are what is missing to the whole peak, but for what attention computes in vain.
   */
  public double lost(Line line) {
    return (line.seconds() - line.flop() / peakFlops) / seconds;
  }
}
