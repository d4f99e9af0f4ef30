package io.sirocco.spark.run;

import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** The Spark session of a job: what the user has set stays; what Sirocco prefers fills the gaps. */
public final class Sessions {
  private static final String LOCAL = "local[*]";

  private Sessions() {}

  /** The running session, or a new one; embedded in this JVM unless a master is set. */
  public static SparkSession open(String application) {
    return open(application, LOCAL);
  }

  /** As {@link #open(String)}; {@code master} unless one is set. */
  public static SparkSession open(String application, String master) {
    SparkConf conf = new SparkConf();
    conf.setIfMissing("spark.master", master);
    conf.setIfMissing("spark.app.name", application);
    // Its bar and our progress line would write over each other.
    conf.setIfMissing("spark.ui.showConsoleProgress", "false");
    if (conf.get("spark.master").startsWith("local")) {
      // Counts of running tasks reach the progress line with heartbeats.
      conf.setIfMissing("spark.executor.heartbeatInterval", "1s");
    }
    return SparkSession.builder().config(conf).getOrCreate();
  }
}
