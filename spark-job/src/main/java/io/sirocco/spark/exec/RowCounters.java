package io.sirocco.spark.exec;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.SparkContext;

/** Counts the rows of a run where someone wants to know; see {@link RunTotals} for exactness. */
public final class RowCounters implements Serializable {
  private static final long serialVersionUID = 1L;

  /** One, or none; a list, because an Optional does not travel to executors. */
  @SuppressWarnings("serial") // made by List.of, which is serializable
  private final List<RunTotals> totals;

  private RowCounters(List<RunTotals> totals) {
    this.totals = totals;
  }

  /** Counts nothing. */
  public static RowCounters none() {
    return new RowCounters(List.of());
  }

  /** Counts into totals that are registered on a {@link SparkContext}. */
  public static RowCounters into(RunTotals registered) {
    return new RowCounters(List.of(registered));
  }

  void add(Totals batch) {
    totals.forEach(sum -> sum.add(batch));
  }
}
