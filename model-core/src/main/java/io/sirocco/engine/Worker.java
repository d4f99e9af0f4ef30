package io.sirocco.engine;

/** What the engine's thread does with the rows that callers have queued. */
interface Worker extends AutoCloseable {
  /**
   * Takes rows, as many as it has use for, and computes some more of what it has taken; waits while
   * there is nothing to do.
   *
   * @throws EngineFailedException if the engine is broken; so it is if anything else is thrown
   * @return whether there may be more to do: false once the queue is closed
   */
  boolean work(RowQueue queue) throws InterruptedException;

  /** Bytes that keys and values take now; any thread may ask. */
  long keyValueBytes();

  /** Frees all memory; rows that are not done fail. */
  @Override
  void close();
}
