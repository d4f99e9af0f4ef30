package io.sirocco.spark.run;

import io.sirocco.spark.exec.DaemonTimer;
import io.sirocco.spark.exec.RunningTotals;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.spark.SparkContext;

/**
 * Stops the Spark jobs of this thread as soon as more rows have failed than may: what the share of
 * failed rows will be at the end can only be worse than that.
 */
final class FailureWatch implements AutoCloseable {
  private static final long PERIOD_MILLISECONDS = 500;
  private static final String GROUP = "sirocco";

  private final SparkContext context;
  private final LongSupplier failed;
  private final long allowed;
  private final ScheduledExecutorService clock;
  private int looksBeyond;
  private volatile boolean stopped;

  private FailureWatch(
      SparkContext context, LongSupplier failed, long allowed, ScheduledExecutorService clock) {
    this.context = context;
    this.failed = failed;
    this.allowed = allowed;
    this.clock = clock;
  }

  /** {@code allowed}: failed rows that the run may still have. Watches until it is closed. */
  static FailureWatch start(SparkContext context, RunningTotals totals, long allowed) {
    ScheduledExecutorService clock = DaemonTimer.named("sirocco-failures");
    FailureWatch watch = new FailureWatch(context, () -> totals.now().rowsFailed(), allowed, clock);
    context.setJobGroup(GROUP, "rows to the model and durable results", false);
    Future<?> unused =
        clock.scheduleWithFixedDelay(
            watch::look, PERIOD_MILLISECONDS, PERIOD_MILLISECONDS, TimeUnit.MILLISECONDS);
    return watch;
  }

  private void look() {
    // A task that ends in this moment may count twice: once more is sure.
    looksBeyond = failed.getAsLong() > allowed ? looksBeyond + 1 : 0;
    if (looksBeyond >= 2) {
      stopped = true;
      context.cancelJobGroup(GROUP, "too many rows have failed");
    }
  }

  /** Whether it has stopped the run. */
  boolean hasStopped() {
    return stopped;
  }

  @Override
  public void close() {
    clock.shutdownNow();
    context.clearJobGroup();
  }
}
