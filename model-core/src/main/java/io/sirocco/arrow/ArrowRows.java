package io.sirocco.arrow;

import io.sirocco.engine.Engine;
import io.sirocco.engine.RowAnswer;
import io.sirocco.engine.RowCost;
import io.sirocco.engine.RowOutcome;
import io.sirocco.model.Labels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Arrow batches of rows in, Arrow batches of results out, in the same order.
 *
 * <p>Input: exactly one of the columns {@value #TEXT} (utf8), {@value #MESSAGES} (utf8; a
 * conversation as a JSON array of objects with role and content) and {@value #INPUT_IDS} (list of
 * int32 or int64; with, optionally, {@value #ATTENTION_MASK}, of the same type); optionally {@value
 * #KEY} (utf8), the row's {@link io.sirocco.engine.RowRequest#key}, {@value #LABELS} (list of
 * utf8), its candidates, and {@value #ADAPTER} (utf8), its adapter's name, or null for none.
 * Result: see {@link #resultSchema}.
 *
 * <p>Safe for one caller at a time; callers that share an engine have an instance each.
 */
public final class ArrowRows {
  public static final String TEXT = "text";
  public static final String MESSAGES = "messages";
  public static final String INPUT_IDS = "input_ids";
  public static final String ATTENTION_MASK = "attention_mask";
  public static final String KEY = "key";
  public static final String LABELS = "labels";
  public static final String ADAPTER = "adapter";

  private final Engine engine;
  private final ResultFormat format;
  private final BufferAllocator allocator;

  /** The options are of the engine's task. The engine and the allocator stay the caller's. */
  public ArrowRows(Engine engine, ResultOptions options, BufferAllocator allocator) {
    this.engine = engine;
    this.format = ResultFormat.of(options, engine.plan().labels());
    this.allocator = allocator;
  }

  /**
   * The result columns. Classification, by kind of labels: {@code predicted_label utf8,
   * predicted_score float64, probabilities map<utf8,float64>} (single label, one label), {@code
   * predicted_labels list<utf8>, probabilities map<utf8,float64>} (multi label), {@code
   * predicted_value float64} or {@code predicted_values list<float64>} (regression); then {@code
   * token_count int32}. Scoring of labels: those of a single label. Embedding: {@code embedding
   * list<float32>, token_count int32}. Generation: {@code generated_text utf8, finish_reason utf8
   * (stop | length | stop-string), prompt_tokens int32, generated_tokens int32}, one result row for
   * each sample; a failed row comes once.
   *
   * <p>Then {@code truncated bool, status utf8 (ok | failed), error struct<code utf8, message
   * utf8>}, and on request {@code logits list<float32>}; {@code generated_token_ids list<int32>,
   * token_logprobs list<float32>, cumulative_logprob float64} and, where rows have several samples,
   * {@code sample_index int32}; {@code label_logprobs map<utf8,float64>}. Everything but {@code
   * truncated} and {@code status} can be null.
   *
   * @param labels of the engine's plan
   */
  public static Schema resultSchema(ResultOptions options, Optional<Labels> labels) {
    return ResultFields.schema(ResultFormat.of(options, labels));
  }

  /**
   * Hands every row of {@code rows} to the engine; blocks while the engine's queue is full. The
   * batch is read before this returns and stays the caller's.
   *
   * @throws IllegalArgumentException if a column of the input is missing or has another type
   */
  public Pending submit(VectorSchemaRoot rows) throws InterruptedException {
    List<RowAnswer> outcomes = new ArrayList<>(rows.getRowCount());
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
    ResultBatch await() throws InterruptedException;

    /** Gives up the rows that are not computed yet; results already handed out are not touched. */
    @Override
    void close();
  }

  private final class Waiting implements Pending {
    private final List<RowAnswer> outcomes;

    Waiting(List<RowAnswer> outcomes) {
      this.outcomes = outcomes;
    }

    @Override
    public ResultBatch await() throws InterruptedException {
      List<RowOutcome> results = new ArrayList<>(outcomes.size());
      for (RowAnswer outcome : outcomes) {
        try {
          results.add(outcome.get());
        } catch (ExecutionException e) {
          throw new IllegalStateException(
              "the engine did not compute a row: " + e.getCause().getMessage(), e.getCause());
        }
      }
      List<RowCost> costs = outcomes.stream().map(RowAnswer::cost).toList();
      return ResultWriter.write(results, costs, format, allocator);
    }

    @Override
    public void close() {
      cancel(outcomes);
    }
  }

  private static void cancel(List<RowAnswer> outcomes) {
    boolean interruptRunning = false;
    outcomes.forEach(outcome -> outcome.cancel(interruptRunning));
  }
}
