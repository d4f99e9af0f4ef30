package io.sirocco.bench;

import java.util.Optional;

/**
 * How a precision answers, next to float32. A line of results: either a classifier's or a writer's
 * fields are there.
 *
 * @param rows that count; rows without an answer do not
 * @param tokens of those rows
 */
public record QualityResult(
    String precision,
    long rows,
    long tokens,
    Optional<Labels> labels,
    Optional<Perplexity> perplexity) {

  /**
   * Of a classifier.
   *
   * @param agreement share of rows whose labels are those of float32
   * @param meanChange of a label's probability, absolute, over all rows and labels
   * @param largestChange of them
   * @param accuracy share of rows whose label is the sample's; absent where the sample has none
   */
  public record Labels(
      double agreement, double meanChange, double largestChange, Optional<Double> accuracy) {}

  /**
   * Of a writer.
   *
   * @param value exp of the mean negative log-probability of a row's tokens, but the first
   * @param change relative to that of float32
   */
  public record Perplexity(double value, double change) {}
}
