package io.sirocco.spark.exec;

import java.io.IOException;
import java.io.Serializable;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The executor's side of {@link SiroccoPlugin}: reads the engines every few seconds, and tells the
 * driver where something has changed. Gauges show the last reading, so that asking for them never
 * waits for an engine that is being opened.
 */
final class ExecutorMetrics implements ExecutorPlugin {
  /** Of the executor's own gauges; in local mode, driver and executor share a registry. */
  static final String PREFIX = "engine";

  private static final Logger LOG = LoggerFactory.getLogger(ExecutorMetrics.class);

  private final ScheduledExecutorService timer = DaemonTimer.named("sirocco-metrics");
  private volatile EngineReading latest = EngineReading.NONE;
  private EngineReading sent = EngineReading.NONE;
  private long readAt = System.nanoTime();

  /** From an executor to the driver. */
  record Message(String executor, EngineReading reading) implements Serializable {}

  @Override
  public void init(PluginContext context, Map<String, String> configuration) {
    EngineGauges.register(context.metricRegistry(), PREFIX, () -> latest);
    long period = Long.parseLong(configuration.get(DriverMetrics.PERIOD));
    var unused =
        timer.scheduleWithFixedDelay(() -> read(context), period, period, TimeUnit.MILLISECONDS);
  }

  private void read(PluginContext context) {
    try {
      ExecutorEngine.Snapshot now = ExecutorEngine.snapshot();
      long time = System.nanoTime();
      latest = latest.next(now, Math.max(1e-3, (time - readAt) * 1e-9));
      readAt = time;
      if (!latest.equals(sent)) {
        context.send(new Message(context.executorID(), latest));
        sent = latest;
      }
    } catch (IOException | RuntimeException e) { // The next reading may reach the driver.
      LOG.debug("the driver was not told what the engines do", e);
    }
  }

  @Override
  public void shutdown() {
    timer.shutdownNow();
  }
}
