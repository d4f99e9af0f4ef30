package io.sirocco.spark.run;

import io.sirocco.engine.EnginePlan;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.exec.Totals;
import java.util.List;

/**
 * What a run has done.
 *
 * @param setup of the run
 * @param complete whether the output holds every row
 * @param counts of the output; of this run alone where it was appended, or where it stopped
 * @param computed by this run; what else the output holds is kept from earlier ones
 * @param attempts of all runs that computed some of the output, if it can be resumed
 */
public record RunFacts(
    RunSetup setup,
    boolean complete,
    OutputCounts counts,
    Totals computed,
    List<AttemptFacts> attempts) {
  /** The part of a run that computes. */
  public static final String COMPUTE = "compute";

  /**
   * A run's share in an output that can be resumed.
   *
   * @param number from 1
   * @param begun in ISO-8601
   * @param missing rows that had no result when it began, each counted once
   * @param rows that it has durable results for
   */
  record AttemptFacts(int number, String begun, long missing, long rows) {}

  JobConfig config() {
    return setup.config();
  }

  EnginePlan plan() {
    return setup.plan();
  }

  /** From the first row to the last. */
  double computing() {
    return setup.stages().of(COMPUTE);
  }
}
