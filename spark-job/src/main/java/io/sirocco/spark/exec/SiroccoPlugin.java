package io.sirocco.spark.exec;

import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * Puts what the engines do into Spark's metrics system: {@code
 * spark.plugins=io.sirocco.spark.exec.SiroccoPlugin}. Each executor registers its own gauges, for
 * the sinks that run there; the driver registers those of all executors and their sums, so that one
 * scrape of the driver sees the whole job.
 */
public final class SiroccoPlugin implements SparkPlugin {
  @Override
  public DriverPlugin driverPlugin() {
    return new DriverMetrics();
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new ExecutorMetrics();
  }
}
