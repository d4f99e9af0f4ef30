package io.sirocco.spark.exec;

import io.sirocco.engine.EngineStatistics;
import java.io.Serializable;

/**
 * What the engines of one executor, or of several, do.
 *
 * @param engines open now
 * @param statistics of those that are open and those that are closed
 * @param readPerSecond tokens, since the reading before
 * @param generatedPerSecond tokens, since the reading before
 */
record EngineReading(
    int engines, EngineStatistics statistics, double readPerSecond, double generatedPerSecond)
    implements Serializable {
  static final EngineReading NONE = new EngineReading(0, EngineStatistics.NONE, 0, 0);

  /** What there is {@code seconds} after this one. */
  EngineReading next(ExecutorEngine.Snapshot now, double seconds) {
    EngineStatistics.Tokens before = statistics.tokens();
    EngineStatistics.Tokens after = now.statistics().tokens();
    return new EngineReading(
        now.engines(),
        now.statistics(),
        (after.read() - before.read()) / seconds,
        (after.generated() - before.generated()) / seconds);
  }

  EngineReading plus(EngineReading other) {
    return new EngineReading(
        engines + other.engines,
        statistics.plus(other.statistics),
        readPerSecond + other.readPerSecond,
        generatedPerSecond + other.generatedPerSecond);
  }

  /** Of an executor that is gone. */
  EngineReading ended() {
    return new EngineReading(0, statistics.done(), 0, 0);
  }
}
