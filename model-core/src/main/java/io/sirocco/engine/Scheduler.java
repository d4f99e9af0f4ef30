package io.sirocco.engine;

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

  /** Takes over the worker, and closes it when the queue is closed. */
  Scheduler(RowQueue queue, Worker worker) {
    this.queue = queue;
    this.worker = worker;
    this.thread = new Thread(this::run, "sirocco-engine");
    this.thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** Waits until what is being computed is done and the worker's memory is freed. */
  void join() {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try (worker) {
      boolean more = true;
      while (more) {
        more = worker.work(queue);
      }
    } catch (InterruptedException e) {
      queue.close(new IllegalStateException("the engine's thread was interrupted", e));
    } catch (RuntimeException | Error e) {
      LOG.error("the engine has failed and refuses further rows", e);
      queue.close(new IllegalStateException("the engine has failed: " + e, e));
    }
  }
}
