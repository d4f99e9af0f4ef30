package io.sirocco.spark.exec;

import java.util.Map;
import java.util.TreeMap;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;

/** Adds up one result batch; the names are those of {@code ArrowClassifier.resultSchema}. */
final class BatchTotals {
  private final Map<String, Long> failed = new TreeMap<>();
  private final Map<String, Long> labels = new TreeMap<>();
  private final VectorSchemaRoot results;
  private final int maxTokens;
  private long tokens;
  private long truncated;

  private BatchTotals(VectorSchemaRoot results, int maxTokens) {
    this.results = results;
    this.maxTokens = maxTokens;
  }

  /**
   * @param maxTokens what longer rows were cut to
   */
  static Totals of(VectorSchemaRoot results, int maxTokens) {
    BatchTotals totals = new BatchTotals(results, maxTokens);
    for (int row = 0; row < results.getRowCount(); row++) {
      totals.add(row);
    }
    return new Totals(
        results.getRowCount(), totals.failed, totals.labels, totals.tokens, totals.truncated);
  }

  private void add(int row) {
    StructVector error = (StructVector) results.getVector("error");
    if (!error.isNull(row)) {
      count(failed, ResultValues.at(error.getChild("code"), row));
      return;
    }
    int tokenCount = (Integer) ResultValues.at(results.getVector("token_count"), row);
    tokens += Math.min(tokenCount, maxTokens);
    truncated += Boolean.TRUE.equals(ResultValues.at(results.getVector("truncated"), row)) ? 1 : 0;
    if (results.getVector("predicted_label") != null) {
      count(labels, ResultValues.at(results.getVector("predicted_label"), row));
    }
    if (results.getVector("predicted_labels") instanceof ListVector lists) {
      for (int i = lists.getElementStartIndex(row); i < lists.getElementEndIndex(row); i++) {
        count(labels, ResultValues.at(lists.getDataVector(), i));
      }
    }
  }

  private static void count(Map<String, Long> counts, Object key) {
    counts.merge((String) key, 1L, Long::sum);
  }
}
