package io.sirocco.arrow;

import io.sirocco.engine.Engine;
import io.sirocco.model.Labels;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Arrow batches of rows in, Arrow batches of results out, row by row in the same order.
 *
 * <p>Input: a column {@value #TEXT} (utf8), or {@value #INPUT_IDS} (list of int32 or int64) with,
 * optionally, {@value #ATTENTION_MASK} (list of int32 or int64). Result: see {@link #resultSchema}.
 */
public final class ArrowClassifier {
  public static final String TEXT = "text";
  public static final String INPUT_IDS = "input_ids";
  public static final String ATTENTION_MASK = "attention_mask";

  /** The engine and the allocator stay the caller's. */
  public ArrowClassifier(Engine engine, ClassifyOptions options, BufferAllocator allocator) {
    pending();
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
    return pending();
  }

  /**
   * Hands every row of {@code rows} to the engine; blocks while the engine's queue is full. The
   * batch is read before this returns and stays the caller's.
   */
  public Pending submit(VectorSchemaRoot rows) throws InterruptedException {
    return pending();
  }

  /** The results of one batch, computed or not. */
  public interface Pending extends AutoCloseable {
    /** Waits for all rows; the result belongs to the caller, who closes it. */
    VectorSchemaRoot await() throws InterruptedException;

    /** Gives up a batch that nobody will await. */
    @Override
    void close();
  }

  private static <T> T pending() {
    throw new UnsupportedOperationException();
  }
}
