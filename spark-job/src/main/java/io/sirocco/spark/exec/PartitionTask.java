package io.sirocco.spark.exec;

import io.sirocco.arrow.ResultOptions;
import io.sirocco.engine.EngineOptions;
import io.sirocco.spark.store.ModelSource;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;

/**
 * Gives the rows of one partition to the engine as they stream by.
 *
 * @param engine the engine to use
 * @param results which result columns there are
 * @param input what the engine is given
 * @param kept positions of the input's columns that the result has, in order
 * @param source where the engine's model is
 * @param fingerprint of the model that the driver has planned with
 * @param counters what is counted
 */
record PartitionTask(
    EngineOptions engine,
    ResultOptions results,
    InputColumns input,
    List<Integer> kept,
    ModelSource source,
    String fingerprint,
    RowCounters counters)
    implements MapPartitionsFunction<Row, Row> {

  PartitionTask {
    kept = List.copyOf(kept);
  }

  /** Takes the executor's engine until the rows are used up or the task ends. */
  @Override
  @SuppressWarnings("resource") // the task's end closes it
  public Iterator<Row> call(Iterator<Row> rows) {
    if (!rows.hasNext()) {
      return Collections.emptyIterator();
    }
    ResultRows results = ResultRows.open(this, rows);
    TaskContext task = TaskContext.get();
    if (task != null) {
      TaskCompletionListener atEnd = ended -> results.close();
      task.addTaskCompletionListener(atEnd);
    }
    return results;
  }
}
