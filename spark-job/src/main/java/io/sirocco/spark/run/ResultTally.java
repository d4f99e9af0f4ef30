package io.sirocco.spark.run;

import io.sirocco.spark.exec.Totals;
import java.io.Serializable;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/**
 * Adds results up in one pass over those of their columns that say what became of a row. A row that
 * has several results, its samples, counts once: by the first of them.
 */
final class ResultTally implements Serializable {
  private static final long serialVersionUID = 1;

  /** What is read of a result, null where results have no such column, and as what type. */
  private static final Map<String, String> FIELDS =
      Map.of(
          "status", "string",
          "error", "struct<code: string, message: string>",
          "token_count", "int",
          "prompt_tokens", "int",
          "truncated", "boolean",
          "predicted_label", "string",
          "predicted_labels", "array<string>",
          "sample_index", "int",
          "finish_reason", "string",
          "generated_tokens", "bigint");

  private final int maxTokens;
  private final Map<String, Long> failed = new TreeMap<>();
  private final Map<String, Long> labels = new TreeMap<>();
  private final Map<String, Long> finishReasons = new TreeMap<>();
  private final TreeMap<Integer, Long> lengths = new TreeMap<>();
  private long results;
  private long rows;
  private long unanswered;
  private long tokens;
  private long generated;
  private long truncated;

  private ResultTally(int maxTokens) {
    this.maxTokens = maxTokens;
  }

  /**
   * As {@link OutputCounts#of(Dataset, Set, String, int)}. Columns of the input may have the names
   * of another task's results.
   */
  static OutputCounts count(
      Dataset<Row> results, Set<String> columns, String prefix, int maxTokens) {
    // Of results that were appended to others, the files that are read first may lack some.
    List<String> present = Arrays.asList(results.columns());
    Column[] fields =
        FIELDS.keySet().stream()
            .map(
                name ->
                    (columns.contains(name) && present.contains(prefix + name)
                            ? results.col(EngineColumns.quoted(prefix + name))
                            : functions.lit(null))
                        .cast(FIELDS.get(name))
                        .as(name))
            .toArray(Column[]::new);
    return results
        .select(fields)
        .javaRDD()
        .aggregate(new ResultTally(maxTokens), ResultTally::plus, ResultTally::merged)
        .counts(columns.contains("sample_index"));
  }

  private ResultTally plus(Row result) {
    results++;
    add(labels, result.getAs("predicted_label"));
    int several = result.fieldIndex("predicted_labels");
    if (!result.isNullAt(several)) {
      result.<String>getList(several).forEach(label -> add(labels, label));
    }
    add(finishReasons, result.getAs("finish_reason"));
    Long written = result.getAs("generated_tokens");
    generated += written == null ? 0 : written;
    Integer sample = result.getAs("sample_index");
    if (sample == null || sample == 0) {
      addRow(result);
    }
    return this;
  }

  private void addRow(Row result) {
    rows++;
    Row error = result.getAs("error");
    add(failed, error == null ? null : error.getString(0));
    Integer own = result.getAs("token_count");
    Integer length = own == null ? result.getAs("prompt_tokens") : own;
    if (length != null) {
      lengths.merge(length, 1L, Long::sum);
    }
    String status = result.getAs("status");
    if (status == null) {
      unanswered++;
    } else if (status.equals("ok")) {
      tokens += length == null ? 0 : Math.min(length, maxTokens);
      truncated += Boolean.TRUE.equals(result.<Boolean>getAs("truncated")) ? 1 : 0;
    }
  }

  private static void add(Map<String, Long> counts, String name) {
    if (name != null) {
      counts.merge(name, 1L, Long::sum);
    }
  }

  private ResultTally merged(ResultTally other) {
    other.failed.forEach((name, count) -> failed.merge(name, count, Long::sum));
    other.labels.forEach((name, count) -> labels.merge(name, count, Long::sum));
    other.finishReasons.forEach((name, count) -> finishReasons.merge(name, count, Long::sum));
    other.lengths.forEach((length, count) -> lengths.merge(length, count, Long::sum));
    results += other.results;
    rows += other.rows;
    unanswered += other.unanswered;
    tokens += other.tokens;
    generated += other.generated;
    truncated += other.truncated;
    return this;
  }

  private OutputCounts counts(boolean samples) {
    Totals totals = new Totals(rows, failed, labels, finishReasons, tokens, generated, truncated);
    return new OutputCounts(
        totals,
        unanswered,
        samples ? OptionalLong.of(results) : OptionalLong.empty(),
        percentiles());
  }

  private Map<String, Integer> percentiles() {
    Map<String, Integer> percentiles = new LinkedHashMap<>();
    if (!lengths.isEmpty()) {
      percentiles.put("p50", percentile(0.5));
      percentiles.put("p90", percentile(0.9));
      percentiles.put("p99", percentile(0.99));
      percentiles.put("max", lengths.lastKey());
    }
    return percentiles;
  }

  /** The shortest length that at least this share of the rows does not exceed. */
  private int percentile(double share) {
    long counted = lengths.values().stream().mapToLong(Long::longValue).sum();
    long wanted = (long) Math.ceil(share * counted);
    long seen = 0;
    for (Map.Entry<Integer, Long> length : lengths.entrySet()) {
      seen += length.getValue();
      if (seen >= wanted) {
        return length.getKey();
      }
    }
    return lengths.lastKey();
  }
}
