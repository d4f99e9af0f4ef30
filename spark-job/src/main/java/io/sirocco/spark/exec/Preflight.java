package io.sirocco.spark.exec;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.PrecisionChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkExecutorInfo;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.CollectionAccumulator;

/**
 * Opens the engine on every executor before the first batch: what cannot work ends the job at once,
 * in a line that names the host, and what can change answers is the same everywhere, or said.
 *
 * <p>Executors that come later are checked when their first task opens the engine.
 */
public final class Preflight {
  private static final int ROUNDS = 5;

  /** From the first executor's registration on: time to bring a large model to a host. */
  private static final Duration LIMIT = Duration.ofMinutes(30);

  private final SparkContext context;
  private final RowSettings settings;
  private final Map<String, HostCheck.Finding> found = new TreeMap<>();

  /** What becomes of differences between hosts that can change answers. */
  public enum Differences {
    SAY,
    REFUSE
  }

  /**
   * What is known of the executors.
   *
   * @param hosts a report of each executor, by its address
   * @param unreached addresses of executors that ran no task in time
   * @param notes what deserves a look, for people
   * @param engine the options to run with: precision auto is decided
   */
  public record Result(
      List<HostReport> hosts, List<String> unreached, List<String> notes, EngineOptions engine) {
    public Result {
      hosts = List.copyOf(hosts);
      unreached = List.copyOf(unreached);
      notes = List.copyOf(notes);
    }

    /** The settings with these options. */
    public RowSettings applied(RowSettings settings) {
      return settings.withEngine(engine);
    }
  }

  private Preflight(SparkContext context, RowSettings settings) {
    this.context = context;
    this.settings = settings;
  }

  /**
   * Checks every executor that is registered now; waits for the first where none is. Executors that
   * are too busy to run a task in time are named in the result.
   *
   * @throws ModelException if an executor cannot open the engine, or finds another model than the
   *     one planned with, or if hosts differ and are not to
   * @throws InterruptedException if interrupted meanwhile
   */
  public static Result run(SparkContext context, RowSettings settings, Differences differences)
      throws InterruptedException {
    Result result = new Preflight(context, settings).check();
    if (settings.engine().precision() == PrecisionChoice.AUTO
        && HostDifferences.precisions(result.hosts()).size() > 1) {
      // Every host has float32; memory and kernels of that are checked in turn.
      RowSettings pinned =
          settings.withEngine(settings.engine().withPrecision(PrecisionChoice.FLOAT32));
      Result again = new Preflight(context, pinned).check();
      return HostDifferences.judged(again, result.hosts(), differences);
    }
    return HostDifferences.judged(result, result.hosts(), differences);
  }

  private Result check() throws InterruptedException {
    if (context.isLocal()) {
      HostCheck.Finding here = HostCheck.here(settings.engine(), settings.model().source());
      found.put(here.place().address(), here);
    } else {
      checkExecutors();
    }
    for (HostCheck.Finding finding : found.values()) {
      requireUsable(finding);
    }
    List<HostReport> hosts =
        found.values().stream().flatMap(finding -> finding.report().stream()).toList();
    return new Result(hosts, missing(), HostDifferences.memoryNotes(hosts), pinned(hosts));
  }

  private void requireUsable(HostCheck.Finding finding) {
    String where = "on " + finding.place();
    if (finding.report().isEmpty()) {
      throw new ModelException(where, finding.problem());
    }
    String fingerprint = finding.report().get(0).engine().fingerprint();
    PlannedModel.difference(settings.engine().model(), settings.model().fingerprint(), fingerprint)
        .ifPresent(
            difference -> {
              throw new ModelException(where, difference);
            });
  }

  private EngineOptions pinned(List<HostReport> hosts) {
    SortedSet<String> precisions = HostDifferences.precisions(hosts);
    return precisions.size() == 1
        ? settings.engine().withPrecision(HostDifferences.choice(precisions.first()))
        : settings.engine();
  }

  private void checkExecutors() throws InterruptedException {
    CollectionAccumulator<HostCheck.Finding> findings = new CollectionAccumulator<>();
    context.register(findings);
    HostCheck check =
        new HostCheck(
            settings.engine(), settings.model().source(), UUID.randomUUID().toString(), findings);
    long end = Long.MAX_VALUE;
    for (int round = 0; round < ROUNDS && (found.isEmpty() || !missing().isEmpty()); round++) {
      end = round(check, end);
      findings.value().forEach(finding -> found.put(finding.place().address(), finding));
      boolean failed = found.values().stream().anyMatch(one -> one.report().isEmpty());
      if (failed || System.nanoTime() > end) {
        return;
      }
    }
  }

  /** Enough tasks for every place in the cluster; the time at which all of this has to end. */
  private long round(HostCheck check, long before) throws InterruptedException {
    int tasks = Math.max(context.defaultParallelism(), 2 * executors().size());
    List<Integer> numbers = IntStream.range(0, tasks).boxed().toList();
    JavaFutureAction<Void> action =
        JavaSparkContext.fromSparkContext(context).parallelize(numbers, tasks).foreachAsync(check);
    long end = before;
    while (true) {
      try {
        action.get(1, TimeUnit.SECONDS);
        return end;
      } catch (TimeoutException e) {
        if (end == Long.MAX_VALUE && !executors().isEmpty()) {
          end = System.nanoTime() + LIMIT.toNanos();
        }
        boolean failed =
            check.findings().value().stream().anyMatch(finding -> finding.report().isEmpty());
        if (failed || System.nanoTime() > end) {
          boolean interruptTasks = true;
          action.cancel(interruptTasks);
          return end;
        }
      } catch (ExecutionException e) {
        throw new IllegalStateException("the preflight did not run: " + e.getCause(), e);
      }
    }
  }

  private List<String> missing() {
    List<String> missing = new ArrayList<>(executors());
    missing.removeAll(found.keySet());
    return context.isLocal() ? List.of() : missing;
  }

  /** Addresses of those registered, without the driver's own. */
  private List<String> executors() {
    String driver = SparkEnv.get().blockManager().blockManagerId().hostPort();
    return Stream.of(context.statusTracker().getExecutorInfos())
        .map(Preflight::address)
        .filter(address -> !address.equals(driver))
        .sorted()
        .toList();
  }

  private static String address(SparkExecutorInfo executor) {
    return executor.host() + ":" + executor.port();
  }
}
