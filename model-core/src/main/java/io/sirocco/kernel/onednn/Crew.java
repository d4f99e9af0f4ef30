package io.sirocco.kernel.onednn;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Threads among which many small pieces of work are shared out, where a team within each piece
 * would wait more than work. The caller is one of them. Started when there is something to share.
 */
final class Crew implements AutoCloseable {
  private final int members;
  private final ExecutorService others;

  /** What member {@code member}, from 0, does with piece {@code piece}. */
  @FunctionalInterface
  interface Work {
    void run(int piece, int member);
  }

  Crew(int members) {
    this.members = members;
    this.others =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "sirocco-crew");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** The caller included. */
  int members() {
    return members;
  }

  /**
   * Does pieces 0 to {@code pieces} - 1, in any order, and returns when all are done.
   *
   * @throws IllegalStateException if a piece of another thread's has thrown; what the caller's has
   *     thrown comes as it is. Pieces not yet begun are left out
   */
  void run(int pieces, Work work) {
    AtomicInteger next = new AtomicInteger();
    List<Future<?>> running = new ArrayList<>();
    for (int member = 1; member < Math.min(members, pieces); member++) {
      int mine = member;
      running.add(others.submit(() -> take(next, pieces, mine, work)));
    }
    try {
      take(next, pieces, 0, work);
    } finally {
      next.set(pieces);
      running.forEach(Crew::await);
    }
  }

  private static void take(AtomicInteger next, int pieces, int member, Work work) {
    for (int piece = next.getAndIncrement(); piece < pieces; piece = next.getAndIncrement()) {
      work.run(piece, member);
    }
  }

  /** Until the member has ended: what it reads and writes must not be freed under it. */
  private static void await(Future<?> member) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          member.get();
          return;
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          if (e.getCause() instanceof Error error) {
            throw error; // Such as InternalError, where a mapped file has become shorter.
          }
          throw new IllegalStateException("a piece of shared work failed", e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    others.shutdown();
  }
}
