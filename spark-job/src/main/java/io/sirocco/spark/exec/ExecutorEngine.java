package io.sirocco.spark.exec;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.EngineStatistics;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.spark.store.CacheSettings;
import io.sirocco.spark.store.LocalModel;
import io.sirocco.spark.store.ModelSource;
import io.sirocco.spark.store.PreparedCache;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine of this JVM, shared by all tasks that run in it.
 *
 * <p>It is opened by the first task that asks, stays open between tasks and jobs, and is closed
 * when the JVM shuts down. A task with other options gets an engine with those; the former one is
 * closed as soon as no task uses it, so that two are open only while tasks with different options
 * run side by side.
 */
public final class ExecutorEngine {
  /** For {@link EngineOptions#threads}: as many kernel threads as the executor has cores. */
  public static final int ALL_CORES = Integer.MAX_VALUE;

  private static final Logger LOG = LoggerFactory.getLogger(ExecutorEngine.class);
  private static final long SHUTDOWN_MILLIS = 10_000;
  private static final Object LOCK = new Object();

  /** Guarded by {@link #LOCK}; the last one is the engine to keep. */
  private static final List<Shared> OPEN = new ArrayList<>();

  /** What engines have done that are closed; guarded by {@link #LOCK}. */
  private static EngineStatistics closed = EngineStatistics.NONE;

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(ExecutorEngine::shutDown, "sirocco-shutdown"));
  }

  private ExecutorEngine() {}

  /**
   * The engine with these options, opened if need be; the others who ask meanwhile wait. Its kernel
   * threads are {@code options.threads()}, but no more than the executor has cores, however many
   * tasks share it. Its model is that of {@code source}, which is brought to this host if it is not
   * here, and kept here as long as the engine is open; {@code options.model()} only names it. So it
   * is with adapters, as far as the source knows of them.
   *
   * @throws ModelException as {@link ModelSource#open} and {@link Engine#open}
   */
  public static Lease lease(EngineOptions options, ModelSource source) {
    EngineOptions fitted = onThisExecutor(options);
    Optional<Lease> found = find(fitted, source);
    if (found.isPresent()) {
      return found.get();
    }
    // Their models may have to make room for this one.
    closeUnused();
    // Outside of the lock: it can take minutes, and the JVM must be able to shut down meanwhile.
    LocalModel model = source.open();
    synchronized (LOCK) {
      Optional<Lease> faster = find(fitted, source);
      if (faster.isPresent()) {
        model.close();
        return faster.get();
      }
      closeUnused();
      Shared opened = new Shared(fitted, source, open(fitted, model), model);
      OPEN.add(opened);
      return opened.firstLease();
    }
  }

  /**
   * The options with the number of kernel threads that {@link #lease} would use in this JVM, and
   * the place where it would keep prepared weights.
   */
  public static EngineOptions onThisExecutor(EngineOptions options) {
    return options
        .withThreads(Math.min(options.threads(), ExecutorCores.here()))
        .withWeights(options.weights().withFolder(CacheSettings.preparedHere()));
  }

  /** What the engines of this JVM do, and what those before them have done. */
  static Snapshot snapshot() {
    synchronized (LOCK) {
      EngineStatistics sum =
          OPEN.stream()
              .map(shared -> shared.engine.statistics())
              .reduce(closed, EngineStatistics::plus);
      return new Snapshot(OPEN.size(), sum);
    }
  }

  /**
   * @param engines open now
   */
  record Snapshot(int engines, EngineStatistics statistics) implements Serializable {}

  /** Closes the engines that no task uses; for tests, which look for leaks. */
  static void closeIdle() {
    synchronized (LOCK) {
      removeUnused().forEach(Shared::close);
    }
  }

  /** Engines open in this JVM; for tests. */
  static int openEngines() {
    synchronized (LOCK) {
      return OPEN.size();
    }
  }

  private static Optional<Lease> find(EngineOptions options, ModelSource source) {
    synchronized (LOCK) {
      for (Shared shared : OPEN) {
        if (shared.works() && shared.serves(options) && shared.source.equals(source)) {
          OPEN.remove(shared);
          OPEN.add(shared);
          return Optional.of(shared.lease());
        }
      }
      return Optional.empty();
    }
  }

  private static Engine open(EngineOptions options, LocalModel model) {
    boolean opened = false;
    try {
      SortedMap<String, String> adapters = new TreeMap<>(options.adapters().folders());
      adapters.putAll(model.adapterFolders());
      Engine engine =
          Engine.open(
              options
                  .withModel(model.folder().toString())
                  .withAdapters(options.adapters().in(adapters)),
              PreparedCache.keepingHere());
      opened = true;
      return engine;
    } catch (ModelException e) {
      throw model.explained(e);
    } finally {
      if (!opened) {
        model.close();
      }
    }
  }

  private static void closeUnused() {
    synchronized (LOCK) {
      removeUnused().forEach(ExecutorEngine::closeOrWarn);
    }
  }

  private static List<Shared> removeUnused() {
    List<Shared> unused = OPEN.stream().filter(shared -> shared.leases == 0).toList();
    OPEN.removeAll(unused);
    return unused;
  }

  /** The task at hand must not fail for what another one left behind. */
  private static void closeOrWarn(Shared shared) {
    closed = closed.plus(shared.engine.statistics().done());
    try {
      shared.close();
    } catch (RuntimeException e) {
      LOG.warn("an engine that no task uses any more did not close cleanly", e);
    }
  }

  private static void release(Shared shared) {
    synchronized (LOCK) {
      shared.leases--;
      boolean replaced = OPEN.indexOf(shared) < OPEN.size() - 1;
      if (shared.leases == 0 && (!shared.works() || replaced)) {
        OPEN.remove(shared);
        closeOrWarn(shared);
      }
    }
  }

  /** Waits for batches that end soon; for none that hangs. */
  private static void shutDown() {
    Thread closing = new Thread(ExecutorEngine::closeAll, "sirocco-closing");
    closing.setDaemon(true);
    closing.start();
    try {
      closing.join(SHUTDOWN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void closeAll() {
    synchronized (LOCK) {
      for (Shared shared : OPEN) {
        try {
          shared.close();
        } catch (RuntimeException e) {
          LOG.debug("the JVM shuts down while a task still uses the engine", e);
        }
      }
      OPEN.clear();
    }
  }

  /** An open engine and how many tasks use it; the fields that change are guarded by the lock. */
  private static final class Shared {
    private final EngineOptions options;
    private final ModelSource source;
    private final Engine engine;
    private final LocalModel model;
    private int leases;
    private boolean failed;

    Shared(EngineOptions options, ModelSource source, Engine engine, LocalModel model) {
      this.options = options;
      this.source = source;
      this.engine = engine;
      this.model = model;
    }

    Lease lease() {
      return lease(false);
    }

    Lease firstLease() {
      return lease(true);
    }

    private Lease lease(boolean opened) {
      leases++;
      return new Lease(this, opened);
    }

    void close() {
      try {
        engine.close();
      } finally {
        model.close();
      }
    }

    /** An engine may be broken though no task has told. */
    boolean works() {
      return !failed && engine.failure().isEmpty();
    }

    /** What auto has chosen may also be asked for by its name. */
    boolean serves(EngineOptions wanted) {
      return options.equals(wanted)
          || (wanted.precision() == engine.plan().chosenPrecision()
              && options.equals(wanted.withPrecision(PrecisionChoice.AUTO)));
    }
  }

  /** A task's right to use the engine, until it is closed. */
  public static final class Lease implements AutoCloseable {
    private final Shared shared;
    private final boolean opened;
    private final AtomicBoolean released = new AtomicBoolean();

    private Lease(Shared shared, boolean opened) {
      this.shared = shared;
      this.opened = opened;
    }

    /** Whether the engine was opened for this lease, rather than found open. */
    public boolean opened() {
      return opened;
    }

    /** Open at least as long as this lease is; the caller must not close it. */
    public Engine engine() {
      return shared.engine;
    }

    /** Tells that the engine has broken: nobody else gets it, the next who asks gets a new one. */
    public void reportFailure() {
      synchronized (LOCK) {
        shared.failed = true;
      }
    }

    /** Idempotent. */
    @Override
    public void close() {
      if (released.compareAndSet(false, true)) {
        release(shared);
      }
    }
  }
}
