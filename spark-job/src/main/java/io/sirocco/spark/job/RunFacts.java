package io.sirocco.spark.job;

import io.sirocco.engine.EnginePlan;
import io.sirocco.spark.exec.Totals;
import java.util.List;
import java.util.Map;

/**
 * What a run has done.
 *
 * @param complete whether the output holds every row
 * @param counts of the output; of this run alone where it was appended, or where it stopped
 * @param computed by this run; what else the output holds is kept from earlier ones
 * @param seconds by part of the run
 * @param attempts of all runs that computed some of the output, if it can be resumed
 */
record RunFacts(
    JobConfig config,
    EnginePlan plan,
    boolean complete,
    OutputCounts counts,
    Totals computed,
    Map<String, Double> seconds,
    List<AttemptFacts> attempts) {
  /** The part of a run that computes. */
  static final String COMPUTE = "compute";

  /**
   * A run's share in an output that can be resumed.
   *
   * @param number from 1
   * @param begun in ISO-8601
   * @param missing rows that had no result when it began, each counted once
   * @param rows that it has durable results for
   */
  record AttemptFacts(int number, String begun, long missing, long rows) {}

  /** From the first row to the last. */
  double computing() {
    return seconds.getOrDefault(COMPUTE, 0.0);
  }
}
