package io.sirocco.bench;

import java.util.Arrays;

/** Measured values of a test's repetitions. */
final class Repetitions {
  private final double[] values;
  private int count;

  Repetitions(int most) {
    this.values = new double[most];
  }

  void add(double value) {
    values[count++] = value;
  }

  int count() {
    return count;
  }

  double median() {
    double[] sorted = sorted();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** (largest - smallest) / median. */
  double spread() {
    double[] sorted = sorted();
    return (sorted[sorted.length - 1] - sorted[0]) / median();
  }

  private double[] sorted() {
    double[] sorted = Arrays.copyOf(values, count);
    Arrays.sort(sorted);
    return sorted;
  }
}
