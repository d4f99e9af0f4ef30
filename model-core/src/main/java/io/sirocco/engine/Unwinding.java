package io.sirocco.engine;

import java.util.ArrayDeque;
import java.util.Deque;

/** What has been opened so far: closed again, last first, unless all goes well and it is kept. */
final class Unwinding implements AutoCloseable {
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();

  <T extends AutoCloseable> T add(T resource) {
    opened.push(resource);
    return resource;
  }

  /** Leaves everything open. */
  void keep() {
    opened.clear();
  }

  @Override
  public void close() {
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (Exception e) {
        throw new IllegalStateException("could not close what had been opened", e);
      }
    }
  }
}
