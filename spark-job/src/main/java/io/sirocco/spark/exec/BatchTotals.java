package io.sirocco.spark.exec;

import io.sirocco.arrow.ResultBatch;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;

/** Adds up one result batch; the names are those of {@code ArrowRows.resultSchema}. */
final class BatchTotals {
  private final Map<String, Long> failed = new TreeMap<>();
  private final Map<String, Long> labels = new TreeMap<>();
  private final Map<String, Long> finishReasons = new TreeMap<>();
  private final ResultBatch results;
  private final int maxTokens;
  private long rows;
  private long tokens;
  private long generatedTokens;
  private long truncated;
  private Saved saved = Saved.NONE;

  private BatchTotals(ResultBatch results, int maxTokens) {
    this.results = results;
    this.maxTokens = maxTokens;
  }

  /**
   * @param maxTokens what longer rows were cut to
   */
  static Totals of(ResultBatch results, int maxTokens) {
    BatchTotals totals = new BatchTotals(results, maxTokens);
    for (int row = 0; row < results.size(); row++) {
      if (row == 0 || results.inputRow(row) != results.inputRow(row - 1)) {
        totals.addRow(row);
      }
      totals.addAnswer(row);
    }
    return new Totals(
        totals.rows,
        totals.failed,
        totals.labels,
        totals.finishReasons,
        totals.tokens,
        totals.generatedTokens,
        totals.truncated,
        totals.saved);
  }

  /** What all result rows of an input row have in common. */
  private void addRow(int row) {
    rows++;
    saved = saved.plus(Saved.of(results.cost(results.inputRow(row))));
    StructVector error = (StructVector) results.columns().getVector("error");
    if (!error.isNull(row)) {
      count(failed, ResultValues.at(error.getChild("code"), row));
      return;
    }
    Object tokenCount =
        column("token_count").or(() -> column("prompt_tokens")).map(at(row)).orElseThrow();
    tokens += Math.min((Integer) tokenCount, maxTokens);
    truncated += column("truncated").map(at(row)).equals(Optional.of(true)) ? 1 : 0;
  }

  private void addAnswer(int row) {
    column("predicted_label").map(at(row)).ifPresent(label -> count(labels, label));
    if (results.columns().getVector("predicted_labels") instanceof ListVector lists
        && !lists.isNull(row)) {
      for (int i = lists.getElementStartIndex(row); i < lists.getElementEndIndex(row); i++) {
        count(labels, ResultValues.at(lists.getDataVector(), i));
      }
    }
    column("finish_reason").map(at(row)).ifPresent(reason -> count(finishReasons, reason));
    generatedTokens += (Integer) column("generated_tokens").map(at(row)).orElse(0);
  }

  private Optional<ValueVector> column(String name) {
    return Optional.ofNullable(results.columns().getVector(name));
  }

  private static Function<ValueVector, Object> at(int row) {
    return column -> ResultValues.at(column, row);
  }

  private static void count(Map<String, Long> counts, Object key) {
    counts.merge((String) key, 1L, Long::sum);
  }
}
