package io.sirocco.spark;

import org.apache.spark.sql.SparkSession;

/** Spark within the JVM of a test. */
public final class LocalSpark {
  private LocalSpark() {}

  /** {@code master}: such as {@code local[2]}; without a UI, and reached on this host alone. */
  public static SparkSession.Builder builder(String master) {
    return SparkSession.builder()
        .master(master)
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "localhost");
  }
}
