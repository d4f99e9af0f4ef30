package io.sirocco.spark.exec;

import org.apache.spark.util.AccumulatorV2;

/**
 * Adds up {@link Totals} over the tasks of a run.
 *
 * <p>The sum is exact where the result rows are written, or otherwise consumed, without a shuffle
 * in between: the engine's work then runs in the job's result stage, for which Spark applies the
 * update of each partition once, that of the attempt whose result counts; attempts that fail, are
 * retried, or lose to a speculative copy add nothing.
 *
 * <p>The state is one immutable value: Spark's heartbeat reads it while a task adds to it.
 */
public final class RunTotals extends AccumulatorV2<Totals, Totals> {
  private static final long serialVersionUID = 1L;

  private volatile Totals sum = Totals.NONE;

  @Override
  public boolean isZero() {
    return sum.rows() == 0;
  }

  @Override
  public AccumulatorV2<Totals, Totals> copy() {
    RunTotals copy = new RunTotals();
    copy.sum = sum;
    return copy;
  }

  @Override
  public void reset() {
    sum = Totals.NONE;
  }

  @Override
  public synchronized void add(Totals more) {
    sum = sum.plus(more);
  }

  @Override
  public void merge(AccumulatorV2<Totals, Totals> other) {
    add(other.value());
  }

  @Override
  public Totals value() {
    return sum;
  }
}
