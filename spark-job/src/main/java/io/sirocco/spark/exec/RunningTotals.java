package io.sirocco.spark.exec;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The {@link Totals} of a run while its tasks are at work. {@link RunTotals} grow when a task ends;
 * what a task has done until its executor's last heartbeat is added here, and taken out again if it
 * fails. An estimate, for people who wait.
 */
public final class RunningTotals extends SparkListener implements AutoCloseable {
  private final SparkContext context;
  private final RunTotals ended;
  private final Map<Object, Totals> atWork = new ConcurrentHashMap<>();

  private RunningTotals(SparkContext context, RunTotals ended) {
    this.context = context;
    this.ended = ended;
  }

  /** Follows totals that are registered on {@code context}, until it is closed. */
  public static RunningTotals follow(SparkContext context, RunTotals registered) {
    RunningTotals running = new RunningTotals(context, registered);
    context.addSparkListener(running);
    return running;
  }

  /** What is known now. */
  public Totals now() {
    return atWork.values().stream().reduce(ended.value(), Totals::plus);
  }

  @Override
  public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate update) {
    CollectionConverters.asJava(update.accumUpdates())
        .forEach(
            task ->
                CollectionConverters.asJava(task._4()).stream()
                    .filter(info -> info.id() == ended.id())
                    .map(RunningTotals::totals)
                    .filter(Objects::nonNull)
                    .forEach(totals -> atWork.put(task._1(), totals)));
  }

  /** Spark has added the task's totals to {@link RunTotals} by then. */
  @Override
  public void onTaskEnd(SparkListenerTaskEnd end) {
    atWork.remove(end.taskInfo().taskId());
  }

  /** From then on, only what ended tasks have done counts. */
  @Override
  public void close() {
    context.removeSparkListener(this);
    atWork.clear();
  }

  /** Null if the update is of another kind. */
  private static Totals totals(AccumulableInfo info) {
    return info.update().isDefined() && info.update().get() instanceof Totals totals
        ? totals
        : null;
  }
}
