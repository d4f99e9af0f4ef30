package io.sirocco.spark.exec;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import io.sirocco.engine.EngineStatistics;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/** The names of the metrics, and where their values are found in a reading. */
final class EngineGauges {
  private static final Map<String, Function<EngineReading, Number>> VALUES = new LinkedHashMap<>();

  static {
    VALUES.put("engines", EngineReading::engines);
    add("rows", all -> all.rows().done());
    add("rowsFailed", all -> all.rows().failed());
    add("rowsQueued", all -> all.rows().queued());
    add("textsRunning", all -> all.rows().running());
    add("tokensRead", all -> all.tokens().read());
    add("tokensGenerated", all -> all.tokens().generated());
    add("tokensQueued", all -> all.tokens().queued());
    VALUES.put("tokensReadPerSecond", EngineReading::readPerSecond);
    VALUES.put("tokensGeneratedPerSecond", EngineReading::generatedPerSecond);
    add("tokensShared", all -> all.saved().prefixTokens());
    add("rowsDuplicate", all -> all.saved().duplicateRows());
    add("tokensDuplicate", all -> all.saved().duplicateTokens());
    add("batches", all -> all.batches().count());
    add("batchFill", all -> all.batches().fill());
    add("kvBytes", all -> all.memory().keysAndValues());
    add("kvBytesBudget", all -> all.memory().keysAndValuesBudget());
    add("weightsMappedBytes", all -> all.memory().weightsMapped());
    add("nativeBytes", all -> all.memory().owned());
    add("nativeBytesPeak", all -> all.memory().ownedPeak());
  }

  private EngineGauges() {}

  private static void add(String name, Function<EngineStatistics, Number> value) {
    VALUES.put(name, reading -> value.apply(reading.statistics()));
  }

  /** Registers all gauges, each name behind the prefix; they read what {@code latest} is then. */
  static void register(MetricRegistry registry, String prefix, Supplier<EngineReading> latest) {
    VALUES.forEach(
        (name, value) -> {
          Gauge<Number> gauge = () -> value.apply(latest.get());
          registry.register(MetricRegistry.name(prefix, name), gauge);
        });
  }

  /** Takes back {@link #register}. */
  static void remove(MetricRegistry registry, String prefix) {
    VALUES.keySet().forEach(name -> registry.remove(MetricRegistry.name(prefix, name)));
  }
}
