package io.sirocco.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

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

  /** Whatever one of them throws, the others are closed. */
  @Override
  public void close() {
    Optional<IllegalStateException> problem = Optional.empty();
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (Exception e) {
        if (problem.isPresent()) {
          problem.get().addSuppressed(e);
        } else {
          problem = Optional.of(new IllegalStateException("could not close what was opened", e));
        }
      }
    }
    problem.ifPresent(
        e -> {
          throw e;
        });
  }
}
