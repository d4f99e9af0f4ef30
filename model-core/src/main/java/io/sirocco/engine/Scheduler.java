package io.sirocco.engine;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine's one thread: takes a batch, computes it, again. It alone touches the kernels, so
 * their threads are never multiplied by the number of callers.
 */
final class Scheduler {
  private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

  private final RowQueue queue;
  private final Batches batches;
  private final int batchTokens;
  private final Thread thread;

  /** Takes over the batches, and closes them when the queue is closed. */
  Scheduler(RowQueue queue, Batches batches, int batchTokens) {
    this.queue = queue;
    this.batches = batches;
    this.batchTokens = batchTokens;
    this.thread = new Thread(this::run, "sirocco-engine");
    this.thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** Waits until the running batch is done and the batches' memory is freed. */
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
    try (batches) {
      List<RowQueue.Entry> batch = queue.take(batchTokens);
      while (!batch.isEmpty()) {
        batches.compute(batch);
        batch = queue.take(batchTokens);
      }
    } catch (InterruptedException e) {
      queue.close(new IllegalStateException("the engine's thread was interrupted", e));
    } catch (RuntimeException | Error e) {
      LOG.error("the engine has failed and refuses further rows", e);
      queue.close(new IllegalStateException("the engine has failed: " + e, e));
    }
  }
}
