package io.sirocco.engine;

import java.util.concurrent.Future;
import org.apache.arrow.memory.BufferAllocator;

/**
 * One open classifier serving many callers. One thread of its own packs the rows of all callers
 * into batches and computes them; a row's outcome depends on that row and the options alone.
 */
public final class Engine implements AutoCloseable {
  private Engine() {}

  /**
   * Opens the model, maps its weights and starts the engine's thread.
   *
   * @throws io.sirocco.checkpoint.ModelException if the folder is not a usable classifier
   */
  public static Engine open(EngineOptions options) {
    return pending();
  }

  /**
   * What {@link #open} would run, decided by the same rules, without keeping anything open.
   *
   * @throws io.sirocco.checkpoint.ModelException as {@link #open}
   */
  public static EnginePlan plan(EngineOptions options) {
    return pending();
  }

  /** What this engine runs. */
  public EnginePlan plan() {
    return pending();
  }

  /**
   * Accounts for the engine's native memory; callers make their own children of it and close them.
   */
  public BufferAllocator allocator() {
    return pending();
  }

  /**
   * Tokenizes the row in the caller's thread and queues it. Blocks while the queue is full. The
   * future always completes with an outcome, unless the engine is closed under it.
   *
   * @throws InterruptedException if interrupted while waiting for room
   */
  public Future<RowOutcome> submit(RowInput row) throws InterruptedException {
    return pending();
  }

  /** Fails what is queued, waits for the running batch, frees everything. Idempotent. */
  @Override
  public void close() {}

  private static <T> T pending() {
    throw new UnsupportedOperationException();
  }
}
