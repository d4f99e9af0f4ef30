package io.sirocco.spark.run;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;

/** How long each part of a run takes. */
final class Stages {
  private final Map<String, Double> seconds = new LinkedHashMap<>();

  /** Does the work, and remembers its seconds, also where it fails. */
  <T> T time(String stage, Callable<T> work) throws Exception {
    long start = System.nanoTime();
    try {
      return work.call();
    } finally {
      seconds.merge(stage, (System.nanoTime() - start) * 1e-9, Double::sum);
    }
  }

  /** As {@link #time}, of work that gives nothing. */
  void run(String stage, Work work) throws Exception {
    time(
        stage,
        () -> {
          work.run();
          return stage;
        });
  }

  /** What takes its time. */
  interface Work {
    void run() throws Exception;
  }

  /** So far, in the order they began. */
  Map<String, Double> seconds() {
    return Collections.unmodifiableMap(new LinkedHashMap<>(seconds));
  }

  /** Of one of them; 0 if there was none. */
  double of(String stage) {
    return seconds.getOrDefault(stage, 0.0);
  }
}
