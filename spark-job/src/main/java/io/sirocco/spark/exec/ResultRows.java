package io.sirocco.spark.exec;

import io.sirocco.arrow.ArrowRows;
import io.sirocco.arrow.ResultBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * The rows of one partition with their results, in its order. Holds the batches of its {@link
 * ReadAhead} at most, however many rows the partition has.
 */
final class ResultRows implements Iterator<Row>, AutoCloseable {
  private static final AtomicLong COUNT = new AtomicLong();

  private final PartitionTask job;
  private final Iterator<Row> rows;
  private final ExecutorEngine.Lease lease;
  private final BufferAllocator allocator;
  private final ArrowRows engineRows;
  private final ReadAhead ahead;
  private final Deque<InFlight> inFlight = new ArrayDeque<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private Iterator<Row> ready = Collections.emptyIterator();

  /** Rows and the results promised for them. */
  private record InFlight(List<Row> rows, ArrowRows.Pending results) {}

  private ResultRows(
      PartitionTask job,
      Iterator<Row> rows,
      ExecutorEngine.Lease lease,
      BufferAllocator allocator) {
    this.job = job;
    this.rows = rows;
    this.lease = lease;
    this.allocator = allocator;
    this.engineRows = new ArrowRows(lease.engine(), job.results(), allocator);
    this.ahead = ReadAhead.of(job);
  }

  /**
   * @throws IllegalStateException if the model here is not the one that the driver planned with
   */
  static ResultRows open(PartitionTask job, Iterator<Row> rows) {
    ExecutorEngine.Lease lease = ExecutorEngine.lease(job.engine(), job.source());
    try {
      requireSameModel(job, lease.engine().plan().fingerprint());
      String name = "partition-" + COUNT.incrementAndGet();
      BufferAllocator allocator =
          lease.engine().allocator().newChildAllocator(name, 0, Long.MAX_VALUE);
      return new ResultRows(job, rows, lease, allocator);
    } catch (RuntimeException | Error e) {
      lease.close();
      throw e;
    }
  }

  private static void requireSameModel(PartitionTask job, String fingerprint) {
    PlannedModel.difference(job.engine().model(), job.fingerprint(), fingerprint)
        .ifPresent(
            difference -> {
              throw new IllegalStateException(difference);
            });
  }

  @Override
  public boolean hasNext() {
    if (ready.hasNext()) {
      return true;
    }
    if (closed.get()) {
      return false;
    }
    try {
      submitAhead();
      if (inFlight.isEmpty()) {
        close();
        return false;
      }
      ready = results(inFlight.element());
      inFlight.remove();
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      requireAlive();
      throw new IllegalStateException("interrupted while waiting for the engine", e);
    }
  }

  @Override
  public Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.next();
  }

  private void submitAhead() throws InterruptedException {
    while (inFlight.size() < ahead.batches() && rows.hasNext()) {
      requireAlive();
      List<Row> batch = nextBatch();
      try (VectorSchemaRoot input = job.input().batch(batch, allocator)) {
        inFlight.add(new InFlight(batch, engineRows.submit(input)));
      } catch (RuntimeException | Error e) {
        reportFailure();
        throw e;
      }
    }
  }

  /**
   * Rows do not throw: what is thrown here is a broken engine, exhausted memory, or a defect, and a
   * new engine is what another attempt needs in each case. A task that is killed says nothing about
   * the engine.
   */
  private void reportFailure() {
    TaskContext task = TaskContext.get();
    if (task == null || !task.isInterrupted()) {
      lease.reportFailure();
    }
  }

  private List<Row> nextBatch() {
    List<Row> batch = new ArrayList<>();
    long weight = 0;
    long held = 0;
    while (batch.size() < ahead.batchRows()
        && weight < ahead.batchWeight()
        && held < ahead.batchHeld()
        && rows.hasNext()) {
      Row row = rows.next();
      batch.add(row);
      weight += job.input().weight(row);
      held += held(row);
    }
    return batch;
  }

  /** What the row takes until its results are there: characters and bytes of all its columns. */
  private static long held(Row row) {
    long held = 0;
    for (int column = 0; column < row.length(); column++) {
      Object value = row.get(column);
      if (value instanceof String text) {
        held += text.length();
      } else if (value instanceof byte[] bytes) {
        held += bytes.length;
      }
    }
    return held;
  }

  private Iterator<Row> results(InFlight batch) throws InterruptedException {
    try (ResultBatch results = batch.results().await()) {
      List<FieldVector> columns = results.columns().getFieldVectors();
      List<Row> joined = new ArrayList<>(results.size());
      for (int row = 0; row < results.size(); row++) {
        joined.add(joined(batch.rows().get(results.inputRow(row)), columns, row));
      }
      job.counters().add(BatchTotals.of(results, job.engine().maxTokens()));
      return joined.iterator();
    } catch (RuntimeException | Error e) {
      reportFailure();
      throw e;
    }
  }

  private Row joined(Row input, List<FieldVector> results, int row) {
    Object[] values = new Object[job.kept().size() + results.size()];
    int next = 0;
    for (int column : job.kept()) {
      values[next++] = input.get(column);
    }
    for (FieldVector result : results) {
      values[next++] = ResultValues.at(result, row);
    }
    return RowFactory.create(values);
  }

  private static void requireAlive() {
    TaskContext task = TaskContext.get();
    if (task != null && task.isInterrupted()) {
      throw new TaskKilledException("the task was killed while its rows were computed");
    }
  }

  /** Gives up what is not computed yet and everything held; idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      ready = Collections.emptyIterator();
      try {
        inFlight.forEach(batch -> batch.results().close());
        allocator.close();
      } finally {
        lease.close();
      }
    }
  }
}
