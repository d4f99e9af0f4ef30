package io.sirocco.spark.output;

/** What becomes of rows that failed in an earlier run. */
public enum FailedRows {
  /** They stay failed. */
  KEEP,
  /** They are computed again. */
  RETRY
}
