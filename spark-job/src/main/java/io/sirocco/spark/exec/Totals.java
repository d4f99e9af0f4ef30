package io.sirocco.spark.exec;

import java.io.Serializable;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What came out of a number of rows.
 *
 * @param rows all of them
 * @param failed rows by error code
 * @param labels how often each label was predicted; nothing for regression
 * @param finishReasons why generated texts end, and how often
 * @param tokens that the model read, special tokens included, those cut off not
 * @param generatedTokens that the model wrote
 * @param truncated rows that were cut to the limit
 * @param saved what the rows' tokens took
 */
public record Totals(
    long rows,
    Map<String, Long> failed,
    Map<String, Long> labels,
    Map<String, Long> finishReasons,
    long tokens,
    long generatedTokens,
    long truncated,
    Saved saved)
    implements Serializable {
  static final Totals NONE = new Totals(0, Map.of(), Map.of(), Map.of(), 0, 0, 0, Saved.NONE);

  public Totals {
    failed = Collections.unmodifiableMap(new TreeMap<>(failed));
    labels = Collections.unmodifiableMap(new TreeMap<>(labels));
    finishReasons = Collections.unmodifiableMap(new TreeMap<>(finishReasons));
  }

  /** Of results whose costs are not known. */
  public Totals(
      long rows,
      Map<String, Long> failed,
      Map<String, Long> labels,
      Map<String, Long> finishReasons,
      long tokens,
      long generatedTokens,
      long truncated) {
    this(rows, failed, labels, finishReasons, tokens, generatedTokens, truncated, Saved.NONE);
  }

  /** The same, and something more that was saved. */
  public Totals saving(Saved more) {
    return new Totals(
        rows, failed, labels, finishReasons, tokens, generatedTokens, truncated, saved.plus(more));
  }

  /** Rows with a result. */
  public long rowsOk() {
    return rows - rowsFailed();
  }

  /** Rows without a result. */
  public long rowsFailed() {
    return failed.values().stream().mapToLong(Long::longValue).sum();
  }

  Totals plus(Totals other) {
    return new Totals(
        rows + other.rows,
        sum(failed, other.failed),
        sum(labels, other.labels),
        sum(finishReasons, other.finishReasons),
        tokens + other.tokens,
        generatedTokens + other.generatedTokens,
        truncated + other.truncated,
        saved.plus(other.saved));
  }

  /** For people: Spark's UI shows it among the accumulators of a stage, whole and by task. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%,d rows, %,d failed %s, %,d tokens read, %,d generated",
        rows,
        rowsFailed(),
        failed,
        tokens,
        generatedTokens);
  }

  private static Map<String, Long> sum(Map<String, Long> one, Map<String, Long> other) {
    Map<String, Long> sum = new TreeMap<>(one);
    other.forEach((key, count) -> sum.merge(key, count, Long::sum));
    return sum;
  }
}
