package io.sirocco.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Rows of all callers, first come first served, bounded in tokens: who brings more waits. */
final class RowQueue {
  private final long capacity;
  private final Duplicates duplicates;
  private final Deque<Entry> entries = new ArrayDeque<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition roomMade = lock.newCondition();
  private final Condition rowCame = lock.newCondition();

  /** Promises made and not kept yet, of rows that wait or that somebody has taken. */
  private final Set<Entry> promises =
      Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

  private long tokens;
  private Optional<RuntimeException> closed = Optional.empty();

  /** A row and the promise made for it. */
  record Entry(Intake.Accepted accepted, CompletableFuture<RowOutcome> outcome) {
    int tokens() {
      return accepted.computed();
    }

    /** What it takes of a batch: at least so much that the slots of shared keys are counted in. */
    int weight() {
      return Math.max(tokens(), (accepted.row().length() + 7) / 8);
    }
  }

  /**
   * @param capacity rows of so many tokens may wait; a single longer one may, too
   * @param duplicates gives rows the answers of equal ones
   */
  RowQueue(long capacity, Duplicates duplicates) {
    this.capacity = capacity;
    this.duplicates = duplicates;
  }

  /**
   * Waits for room and queues the row, unless an equal one has its answer, or has come before.
   *
   * @param kept is told the outcome, in the thread that has it
   * @throws IllegalStateException if the queue is, or gets, closed
   */
  RowAnswer put(Intake.Accepted accepted, Consumer<RowOutcome> kept) throws InterruptedException {
    Optional<Question> question = duplicates.question(accepted);
    RowAnswer answer = put(new Entry(accepted, new CompletableFuture<>()), question);
    var unused =
        answer.whenComplete((outcome, failure) -> Optional.ofNullable(outcome).ifPresent(kept));
    return answer;
  }

  private RowAnswer put(Entry entry, Optional<Question> question) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (true) {
        requireOpen();
        // Looked for each time: while there is no room, an equal row may have come.
        Optional<RowAnswer> shared =
            question.flatMap(mine -> duplicates.find(mine, entry.accepted()));
        if (shared.isPresent()) {
          return shared.get();
        }
        if (entries.isEmpty() || tokens + entry.tokens() <= capacity) {
          return add(entry, question);
        }
        roomMade.await();
      }
    } finally {
      lock.unlock();
    }
  }

  private RowAnswer add(Entry entry, Optional<Question> question) {
    Askers askers = new Askers(entry.outcome());
    RowAnswer answer = askers.join(RowCost.ofComputed(entry.accepted())).orElseThrow();
    promises.add(entry);
    var unused = entry.outcome().whenComplete((outcome, failure) -> promises.remove(entry));
    question.ifPresent(mine -> duplicates.begin(mine, entry, askers));
    entries.add(entry);
    tokens += entry.tokens();
    rowCame.signal();
    return answer;
  }

  /**
   * Waits for a row and takes it, with those behind it that fit into the budget together with it.
   * Rows whose callers have given up are dropped. Empty once the queue is closed.
   */
  List<Entry> take(int budget) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      List<Entry> batch = new ArrayList<>();
      while (batch.isEmpty() && closed.isEmpty()) {
        while (entries.isEmpty() && closed.isEmpty()) {
          rowCame.await();
        }
        fill(batch, budget);
        roomMade.signalAll();
      }
      return batch;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a row and takes it. Empty once the queue is closed. */
  Optional<Entry> await() throws InterruptedException {
    List<Entry> one = take(0);
    return one.stream().findFirst();
  }

  /** Takes the first row, if there is one and it {@code fits}; rows never overtake each other. */
  Optional<Entry> poll(Predicate<Entry> fits) {
    lock.lock();
    try {
      entries.removeIf(entry -> entry.outcome().isDone() && forget(entry));
      if (entries.isEmpty() || !fits.test(entries.peek())) {
        return Optional.empty();
      }
      Entry next = entries.remove();
      forget(next);
      roomMade.signalAll();
      return Optional.of(next);
    } finally {
      lock.unlock();
    }
  }

  private boolean forget(Entry entry) {
    tokens -= entry.tokens();
    return true;
  }

  /** Why the queue is closed; empty while it is not. */
  Optional<RuntimeException> closed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  private void fill(List<Entry> batch, int budget) {
    int taken = 0;
    while (!entries.isEmpty()) {
      Entry next = entries.peek();
      if (!batch.isEmpty() && taken + next.weight() > budget) {
        return;
      }
      entries.remove();
      tokens -= next.tokens();
      if (!next.outcome().isDone()) {
        batch.add(next);
        taken += next.weight();
      }
    }
  }

  /**
   * Refuses rows from now on; all that have come and have no outcome fail, those that were taken
   * among them. If the queue is closed already, it is for that reason, unless this is a failure.
   */
  void fail(RuntimeException reason) {
    close(reason);
    boolean broken = reason instanceof EngineFailedException;
    RuntimeException why = broken ? reason : closed().orElseThrow();
    List<Entry> unkept;
    synchronized (promises) {
      unkept = List.copyOf(promises);
    }
    unkept.forEach(entry -> entry.outcome().completeExceptionally(why));
  }

  int rowsWaiting() {
    lock.lock();
    try {
      return entries.size();
    } finally {
      lock.unlock();
    }
  }

  long tokensWaiting() {
    lock.lock();
    try {
      return tokens;
    } finally {
      lock.unlock();
    }
  }

  /** Refuses rows from now on; those that wait fail with {@code reason}. */
  void close(RuntimeException reason) {
    lock.lock();
    try {
      if (closed.isEmpty()) {
        closed = Optional.of(reason);
      }
      entries.forEach(entry -> entry.outcome().completeExceptionally(reason));
      entries.clear();
      tokens = 0;
      roomMade.signalAll();
      rowCame.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() {
    if (closed.isPresent() && closed.get() instanceof EngineFailedException failed) {
      throw new EngineFailedException(failed.getMessage(), failed);
    }
    if (closed.isPresent()) {
      throw new IllegalStateException(closed.get().getMessage(), closed.get());
    }
  }
}
