package io.sirocco.engine;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine's one thread: takes rows, computes, again. It alone touches the kernels, so their
 * threads are never multiplied by the number of callers.
 */
final class Scheduler {
  private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

  private final RowQueue queue;
  private final Worker worker;
  private final Thread thread;
  private final Watchdog watchdog;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final CompletableFuture<Void> late = new CompletableFuture<>();

  /**
   * @param meter knows the forward pass of the moment
   * @param deadline for each of them; zero for none
   */
  record Limit(Meter meter, Duration deadline) {}

  /** Takes over the worker, and closes it when the queue is closed. */
  Scheduler(RowQueue queue, Worker worker, Limit limit) {
    this.queue = queue;
    this.worker = worker;
    this.watchdog = new Watchdog(limit.meter(), limit.deadline(), this::giveUp);
    this.thread = new Thread(this::run, "sirocco-engine");
    this.thread.setDaemon(true);
  }

  void start() {
    thread.start();
    watchdog.start();
  }

  /**
   * Waits until nothing is computed any more and the worker's memory is freed; whether it is so.
   * False once a batch has missed its deadline and is still computed.
   */
  boolean awaitEnd() {
    CompletableFuture.anyOf(ended, late).join();
    return ended.isDone();
  }

  /** Runs the action once {@link #awaitEnd} would say so, in whichever thread. */
  void whenEnded(Runnable action) {
    var unused = ended.thenRun(action);
  }

  private void giveUp(EngineFailedException reason) {
    queue.fail(reason);
    LOG.error("the engine refuses further rows: {}", reason.getMessage());
    late.complete(null);
  }

  private void run() {
    try {
      work();
    } finally {
      queue.fail(new IllegalStateException("the engine has been closed"));
      watchdog.stop();
      closeWorker();
      ended.complete(null);
    }
  }

  private void work() {
    try {
      boolean more = true;
      while (more) {
        more = worker.work(queue);
      }
    } catch (InterruptedException e) {
      queue.fail(new EngineFailedException("the engine's thread was interrupted", e));
    } catch (EngineFailedException e) {
      queue.fail(e);
      LOG.error("the engine has failed and refuses further rows", e);
    } catch (RuntimeException | Error e) {
      // First of all: whoever waits must not wait for ever, whatever else fails.
      queue.fail(EngineFailedException.of(e));
      LOG.error("the engine has failed and refuses further rows", e);
    }
  }

  private void closeWorker() {
    try {
      worker.close();
    } catch (RuntimeException | Error e) {
      LOG.error("the engine's memory was not freed cleanly", e);
    }
  }
}
