package io.sirocco.engine;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Looks whether a forward pass takes longer than it may. Sleeps until the one that is computed now
 * would be late, so it wakes about once in a deadline.
 */
final class Watchdog {
  private final Meter meter;
  private final Duration deadline;
  private final Consumer<EngineFailedException> late;
  private final Thread thread;
  private volatile boolean stopped;

  /** {@code late} is told once, by the watchdog's thread; a deadline of zero is none. */
  Watchdog(Meter meter, Duration deadline, Consumer<EngineFailedException> late) {
    this.meter = meter;
    this.deadline = deadline;
    this.late = late;
    this.thread = new Thread(this::watch, "sirocco-deadline");
    this.thread.setDaemon(true);
  }

  void start() {
    if (!deadline.isZero()) {
      thread.start();
    }
  }

  /** Does not wait for the thread, which ends soon. */
  void stop() {
    stopped = true;
    LockSupport.unpark(thread);
  }

  private void watch() {
    long most = deadline.toNanos();
    while (!stopped) {
      Optional<Meter.Pass> pass = meter.current();
      long left = most - pass.map(now -> System.nanoTime() - now.startedNanos()).orElse(0L);
      if (left <= 0) {
        late.accept(failure(pass.orElseThrow()));
        return;
      }
      LockSupport.parkNanos(this, left);
    }
  }

  private EngineFailedException failure(Meter.Pass pass) {
    return new EngineFailedException(
        "a batch of %d rows and %d tokens has taken longer than batch.deadline, which is %s; the"
                .formatted(pass.rows(), pass.tokens(), text(deadline))
            + " engine is given up. If nothing hangs, raise batch.deadline or lower"
            + " batch.max-tokens");
  }

  /** Such as 10m, 1h30m, 0.001s. */
  private static String text(Duration duration) {
    return duration.toString().substring("PT".length()).toLowerCase(Locale.ROOT);
  }
}
