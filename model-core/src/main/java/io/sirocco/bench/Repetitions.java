package io.sirocco.bench;

import java.util.ArrayList;
import java.util.List;

/** Measured values of a test's repetitions. */
final class Repetitions {
  private final List<Double> values = new ArrayList<>();

  void add(double value) {
    values.add(value);
  }

  int count() {
    return values.size();
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
    return values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
  }
}
