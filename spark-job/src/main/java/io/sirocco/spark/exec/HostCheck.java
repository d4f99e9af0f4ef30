package io.sirocco.spark.exec;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.EnginePlan;
import io.sirocco.engine.HostMemory;
import io.sirocco.engine.KernelSetup;
import io.sirocco.prepared.PreparedWeights;
import io.sirocco.spark.store.FetchException;
import io.sirocco.spark.store.ModelSource;
import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.storage.BlockManagerId;
import org.apache.spark.util.CollectionAccumulator;

/**
 * A task that opens the engine of the executor it runs on, and tells what it found; once in each
 * executor, however many of these tasks come to it.
 *
 * @param source of its model
 * @param preflight tells one preflight from another
 */
record HostCheck(
    EngineOptions engine,
    ModelSource source,
    String preflight,
    CollectionAccumulator<Finding> findings)
    implements VoidFunction<Integer> {
  /** How long a task that has nothing to do holds its place, so that the next goes elsewhere. */
  private static final long HOLD_MILLIS = 100;

  /** The preflight that was the last to be here. */
  private static final AtomicReference<String> LAST = new AtomicReference<>("");

  /**
   * What was found on a host.
   *
   * @param report one, or none where the engine cannot be opened
   * @param problem why it cannot; empty if it can
   */
  record Finding(HostReport.Place place, List<HostReport> report, String problem)
      implements Serializable {}

  @Override
  public void call(Integer number) throws InterruptedException {
    if (LAST.getAndSet(preflight).equals(preflight)) {
      Thread.sleep(HOLD_MILLIS);
      return;
    }
    try {
      findings.add(here(engine, source));
    } catch (FetchException e) {
      LAST.set(""); // Spark's next attempt is the check of this executor.
      throw e;
    }
  }

  /**
   * Of this JVM. The engine stays open: this is its warm-up.
   *
   * @throws FetchException if the model has not arrived, but may the next time
   */
  static Finding here(EngineOptions engine, ModelSource source) {
    HostReport.Place place = place();
    long start = System.nanoTime();
    try (ExecutorEngine.Lease lease = ExecutorEngine.lease(engine, source)) {
      double seconds = (System.nanoTime() - start) * 1e-9;
      HostReport report = report(place, engine, lease, seconds);
      return new Finding(place, List.of(report), "");
    } catch (ModelException e) {
      return new Finding(place, List.of(), e.getMessage());
    } catch (FetchException e) {
      throw e;
    } catch (RuntimeException | LinkageError e) {
      return new Finding(place, List.of(), "the engine does not open: " + e);
    }
  }

  private static HostReport.Place place() {
    BlockManagerId id = SparkEnv.get().blockManager().blockManagerId();
    return new HostReport.Place(id.executorId(), id.host(), id.hostPort());
  }

  private static HostReport report(
      HostReport.Place place, EngineOptions options, ExecutorEngine.Lease lease, double seconds) {
    EnginePlan plan = lease.engine().plan();
    int cores = ExecutorCores.here();
    return new HostReport(
        place,
        new HostReport.Processor(HostProcessor.model(), HostProcessor.features(), cores),
        new HostReport.Model(
            plan.fingerprint(),
            plan.chosenPrecision().name().toLowerCase(Locale.ROOT),
            plan.weights().name().toLowerCase(Locale.ROOT),
            KernelSetup.of(options.kernels(), options.precision()).arithmetic(),
            Math.min(options.threads(), cores),
            seconds,
            lease.opened() ? lease.engine().prepared() : PreparedWeights.Made.NOTHING,
            plan.notes()),
        new HostReport.Memory(
            plan.memory().weightsMapped(),
            plan.memory().owned(),
            Runtime.getRuntime().maxMemory(),
            HostMemory.containerLimit().orElse(HostReport.UNLIMITED),
            HostMemory.machineTotal().orElse(HostReport.UNLIMITED)));
  }
}
