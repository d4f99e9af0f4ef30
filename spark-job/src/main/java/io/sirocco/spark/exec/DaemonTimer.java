package io.sirocco.spark.exec;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/** Timers that never keep a JVM from ending. */
public final class DaemonTimer {
  private DaemonTimer() {}

  /** One thread of that name; the caller shuts it down. */
  public static ScheduledExecutorService named(String name) {
    return Executors.newSingleThreadScheduledExecutor(
        task -> {
          Thread thread = new Thread(task, name);
          thread.setDaemon(true);
          return thread;
        });
  }
}
