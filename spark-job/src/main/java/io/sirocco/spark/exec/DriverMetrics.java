package io.sirocco.spark.exec;

import com.codahale.metrics.MetricRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;

/**
 * The driver's side of {@link SiroccoPlugin}: the last reading of each executor, and the sum. What
 * an executor has done stays in the sum when it is gone.
 */
final class DriverMetrics implements DriverPlugin {
  /** Of this side's settings to the executors' side: milliseconds between two readings. */
  static final String PERIOD = "period";

  private static final String PERIOD_SETTING = "spark.sirocco.metrics.period";
  private static final String PERIOD_DEFAULT = "5s";
  private static final String TOTAL = "total";

  private final Map<String, EngineReading> executors = new ConcurrentHashMap<>();
  private volatile EngineReading gone = EngineReading.NONE;
  private MetricRegistry registry = new MetricRegistry();

  @Override
  public Map<String, String> init(SparkContext context, PluginContext plugin) {
    context.addSparkListener(new Departures());
    long period = plugin.conf().getTimeAsMs(PERIOD_SETTING, PERIOD_DEFAULT);
    return Map.of(PERIOD, Long.toString(Math.max(1, period)));
  }

  @Override
  public synchronized void registerMetrics(String application, PluginContext plugin) {
    registry = plugin.metricRegistry();
    EngineGauges.register(registry, TOTAL, this::total);
    // An executor within the driver may have told of itself before Spark calls this.
    executors.keySet().forEach(this::show);
  }

  private void show(String executor) {
    EngineGauges.register(registry, prefix(executor), () -> reading(executor));
  }

  private EngineReading total() {
    return executors.values().stream().reduce(gone, EngineReading::plus);
  }

  /** Null: nothing goes back to the executor, who does not wait for it either. */
  @Override
  public synchronized Object receive(Object message) {
    ExecutorMetrics.Message from = (ExecutorMetrics.Message) message;
    if (executors.put(from.executor(), from.reading()) == null) {
      show(from.executor());
    }
    return null;
  }

  private EngineReading reading(String executor) {
    return executors.getOrDefault(executor, EngineReading.NONE);
  }

  private static String prefix(String executor) {
    return MetricRegistry.name("executor", executor);
  }

  private final class Departures extends SparkListener {
    @Override
    public void onExecutorRemoved(SparkListenerExecutorRemoved removed) {
      synchronized (DriverMetrics.this) {
        EngineReading last = executors.remove(removed.executorId());
        if (last != null) {
          gone = gone.plus(last.ended());
          EngineGauges.remove(registry, prefix(removed.executorId()));
        }
      }
    }
  }
}
