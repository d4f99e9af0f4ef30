package io.sirocco.kernel.onednn;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Threads among which many small pieces of work are shared out, where a team within each piece
 * would wait more than work. The caller is member 0; each other member is a thread of its own, the
 * same for good, since OpenMP keeps what it knows by thread. Started when there is something to
 * share.
 */
final class Crew implements AutoCloseable {
  private final List<ExecutorService> others = new ArrayList<>();

  /** What member {@code member}, from 0, does with piece {@code piece}. */
  @FunctionalInterface
  interface Work {
    void run(int piece, int member);
  }

  Crew(int members) {
    for (int member = 1; member < members; member++) {
      String name = "sirocco-crew-" + member;
      others.add(
          Executors.newSingleThreadExecutor(
              task -> {
                Thread thread = new Thread(task, name);
                thread.setDaemon(true);
                return thread;
              }));
    }
  }

  /** The caller included. */
  int members() {
    return others.size() + 1;
  }

  /**
   * Does pieces 0 to {@code pieces} - 1, in any order, and returns when nobody works any more: what
   * they read and write must not be freed under them.
   *
   * @throws RuntimeException what a piece has thrown first, or an Error; pieces not yet begun are
   *     left out then
   */
  void run(int pieces, Work work) {
    AtomicInteger next = new AtomicInteger();
    List<Future<?>> running = new ArrayList<>();
    Optional<Throwable> problem = Optional.empty();
    try {
      for (int member = 1; member < Math.min(members(), pieces); member++) {
        int mine = member;
        running.add(others.get(member - 1).submit(() -> take(next, pieces, mine, work)));
      }
      take(next, pieces, 0, work);
    } catch (RuntimeException | Error e) {
      problem = Optional.of(e);
    }
    for (Future<?> member : running) {
      if (problem.isPresent()) {
        next.set(pieces);
      }
      Optional<Throwable> its = await(member);
      problem = problem.isPresent() ? problem : its;
    }
    problem.ifPresent(Crew::rethrow);
  }

  private static void take(AtomicInteger next, int pieces, int member, Work work) {
    for (int piece = next.getAndIncrement(); piece < pieces; piece = next.getAndIncrement()) {
      work.run(piece, member);
    }
  }

  /** What the member has thrown, once it has ended. */
  private static Optional<Throwable> await(Future<?> member) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          member.get();
          return Optional.empty();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          return Optional.of(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static void rethrow(Throwable problem) {
    if (problem instanceof Error error) {
      throw error; // Such as InternalError, where a mapped file has become shorter.
    }
    throw (RuntimeException) problem;
  }

  @Override
  public void close() {
    others.forEach(ExecutorService::shutdown);
  }
}
