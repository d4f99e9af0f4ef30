package io.sirocco.arrow;

import io.sirocco.engine.Engine;
import io.sirocco.engine.RowOutcome;
import io.sirocco.model.Labels;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Arrow batches of rows in, Arrow batches of results out, row by row in the same order.
 *
 * <p>Input: a column {@value #TEXT} (utf8), or {@value #INPUT_IDS} (list of int32 or int64) with,
 * optionally, {@value #ATTENTION_MASK} (list of int32 or int64). Result: see {@link #resultSchema}.
 *
 * <p>Safe for one caller at a time; callers that share an engine have a classifier each.
 */
public final class ArrowClassifier {
  public static final String TEXT = "text";
  public static final String INPUT_IDS = "input_ids";
  public static final String ATTENTION_MASK = "attention_mask";

  private final Engine engine;
  private final ClassifyOptions options;
  private final BufferAllocator allocator;

  /** The engine and the allocator stay the caller's. */
  public ArrowClassifier(Engine engine, ClassifyOptions options, BufferAllocator allocator) {
    this.engine = engine;
    this.options = options;
    this.allocator = allocator;
  }

  /**
   * The result columns. By kind of labels: {@code predicted_label utf8, predicted_score float64,
   * probabilities map<utf8,float64>} (single label, one label), {@code predicted_labels list<utf8>,
   * probabilities map<utf8,float64>} (multi label), {@code predicted_value float64} or {@code
   * predicted_values list<float64>} (regression); then {@code token_count int32, truncated bool,
   * status utf8 (ok | failed), error struct<code utf8, message utf8>}, and {@code logits
   * list<float32>} on request. Everything but {@code truncated} and {@code status} can be null.
   */
  public static Schema resultSchema(Labels labels, ClassifyOptions options) {
    return ResultFields.schema(labels, options);
  }

  /**
   * Hands every row of {@code rows} to the engine; blocks while the engine's queue is full. The
   * batch is read before this returns and stays the caller's.
   *
   * @throws IllegalArgumentException if a column of the input is missing or has another type
   */
  public Pending submit(VectorSchemaRoot rows) throws InterruptedException {
    List<Future<RowOutcome>> outcomes = new ArrayList<>(rows.getRowCount());
    InputReader reader = InputReader.of(rows);
    try {
      for (int row = 0; row < rows.getRowCount(); row++) {
        outcomes.add(reader.submit(row, engine));
      }
    } catch (InterruptedException | RuntimeException e) {
      cancel(outcomes);
      throw e;
    }
    return new Waiting(outcomes);
  }

  /** The results of one batch, computed or not. */
  public interface Pending extends AutoCloseable {
    /**
     * Waits for all rows; the result belongs to the caller, who closes it.
     *
     * @throws IllegalStateException if the engine was closed, or broke, before it was done
     */
    VectorSchemaRoot await() throws InterruptedException;

    /** Gives up the rows that are not computed yet; results already handed out are not touched. */
    @Override
    void close();
  }

  private final class Waiting implements Pending {
    private final List<Future<RowOutcome>> outcomes;

    Waiting(List<Future<RowOutcome>> outcomes) {
      this.outcomes = outcomes;
    }

    @Override
    public VectorSchemaRoot await() throws InterruptedException {
      List<RowOutcome> results = new ArrayList<>(outcomes.size());
      for (Future<RowOutcome> outcome : outcomes) {
        try {
          results.add(outcome.get());
        } catch (ExecutionException e) {
          throw new IllegalStateException("the engine did not compute a row", e.getCause());
        }
      }
      return ResultWriter.write(results, engine.plan().labels().orElseThrow(), options, allocator);
    }

    @Override
    public void close() {
      cancel(outcomes);
    }
  }

  private static void cancel(List<Future<RowOutcome>> outcomes) {
    boolean interruptRunning = false;
    outcomes.forEach(outcome -> outcome.cancel(interruptRunning));
  }
}
