package io.sirocco.spark.exec;

import io.sirocco.arrow.ClassifyOptions;
import io.sirocco.engine.EngineOptions;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;

/**
 * Classifies the rows of one partition as they stream by.
 *
 * @param engine the engine to use
 * @param classify how logits become results
 * @param input where the model's input is
 * @param kept positions of the input's columns that the result has, in order
 * @param labels of the model, as the driver knows them
 * @param counters what is counted
 */
record ClassifyPartition(
    EngineOptions engine,
    ClassifyOptions classify,
    InputColumns input,
    List<Integer> kept,
    List<String> labels,
    RowCounters counters)
    implements MapPartitionsFunction<Row, Row> {

  ClassifyPartition {
    kept = List.copyOf(kept);
    labels = List.copyOf(labels);
  }

  /** Takes the executor's engine until the rows are used up or the task ends. */
  @Override
  @SuppressWarnings("resource") // the task's end closes it
  public Iterator<Row> call(Iterator<Row> rows) {
    if (!rows.hasNext()) {
      return Collections.emptyIterator();
    }
    ClassifiedRows classified = ClassifiedRows.open(this, rows);
    TaskContext task = TaskContext.get();
    if (task != null) {
      TaskCompletionListener atEnd = ended -> classified.close();
      task.addTaskCompletionListener(atEnd);
    }
    return classified;
  }
}
