package io.sirocco.spark.job;

import io.sirocco.spark.exec.Totals;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/**
 * What results hold, counted from the results themselves.
 *
 * @param totals as they are added up while results are computed
 * @param unanswered rows without a status, of which there must be none
 * @param results how many, where rows have several
 * @param rowLength tokens of a row, by percentile: {@code p50}, {@code p90}, {@code p99}, {@code
 *     max}; empty where no row has any
 */
record OutputCounts(
    Totals totals, long unanswered, OptionalLong results, Map<String, Integer> rowLength) {
  private static final List<String> LENGTHS = List.of("p50", "p90", "p99", "max");
  private static final int ACCURACY = 10_000;

  /** Of a run whose results are not looked at again. */
  static OutputCounts of(Totals totals) {
    return new OutputCounts(totals, 0, OptionalLong.empty(), Map.of());
  }

  /** Result columns by their names without prefix. */
  private record Results(Dataset<Row> rows, String prefix) {
    boolean has(String name) {
      return Arrays.asList(rows.columns()).contains(prefix + name);
    }

    Column column(String name) {
      return rows.col(EngineColumns.quoted(prefix + name));
    }

    Results filter(Column condition) {
      return new Results(rows.filter(condition), prefix);
    }

    /** How often each text is there; nulls do not count. */
    Map<String, Long> counts(Column text) {
      Map<String, Long> counts = new TreeMap<>();
      rows.select(text.as("text"))
          .filter("text is not null")
          .groupBy("text")
          .count()
          .collectAsList()
          .forEach(row -> counts.put(row.getString(0), row.getLong(1)));
      return counts;
    }
  }

  /**
   * Reads the results, columns of them only, some times over.
   *
   * @param prefix of the result columns
   * @param maxTokens what longer rows were cut to
   */
  static OutputCounts of(Dataset<Row> results, String prefix, int maxTokens) {
    Results all = new Results(results, prefix);
    Results rows =
        all.has("sample_index")
            ? all.filter(
                functions.coalesce(all.column("sample_index"), functions.lit(0)).equalTo(0))
            : all;
    Column tokens = rows.column(rows.has("token_count") ? "token_count" : "prompt_tokens");
    Column ok = rows.column("status").equalTo("ok");
    Column cut = rows.has("truncated") ? rows.column("truncated") : functions.lit(false);
    Row sums =
        rows.rows()
            .agg(
                functions.count(functions.lit(1)),
                sum(functions.when(rows.column("status").isNull(), 1)),
                sum(functions.when(ok, functions.least(tokens, functions.lit(maxTokens)))),
                sum(functions.when(ok.and(cut), 1)),
                functions.percentile_approx(
                    tokens,
                    functions.array(
                        functions.lit(0.5),
                        functions.lit(0.9),
                        functions.lit(0.99),
                        functions.lit(1.0)),
                    functions.lit(ACCURACY)))
            .head();
    Totals totals =
        new Totals(
            sums.getLong(0),
            rows.counts(rows.column("error").getField("code")),
            labels(all),
            all.has("finish_reason") ? all.counts(all.column("finish_reason")) : Map.of(),
            sums.getLong(2),
            generated(all),
            sums.getLong(3));
    return new OutputCounts(totals, sums.getLong(1), results(all), lengths(sums.isNullAt(4), sums));
  }

  /**
   * That all rows are there, each with a result.
   *
   * @param expected rows of the input
   * @param samples results of a row that has not failed; one that has failed has one
   * @throws IllegalStateException if not
   */
  void requireEveryRow(long expected, int samples) {
    if (totals.rows() != expected || unanswered > 0) {
      throw new IllegalStateException(
          ("%d rows were written, %d of them without a result, but the input has %d; did it change"
                  + " while the job ran?")
              .formatted(totals.rows(), unanswered, expected));
    }
    long wanted = totals.rowsOk() * samples + totals.rowsFailed();
    if (results.isPresent() && results.getAsLong() != wanted) {
      throw new IllegalStateException(
          "%d results were written for %d rows, expected %d: rows have lost samples"
              .formatted(results.getAsLong(), totals.rows(), wanted));
    }
  }

  private static Column sum(Column numbers) {
    return functions.coalesce(functions.sum(numbers.cast("long")), functions.lit(0L));
  }

  private static OptionalLong results(Results all) {
    return all.has("sample_index") ? OptionalLong.of(all.rows().count()) : OptionalLong.empty();
  }

  private static Map<String, Long> labels(Results all) {
    if (all.has("predicted_label")) {
      return all.counts(all.column("predicted_label"));
    }
    return all.has("predicted_labels")
        ? all.counts(functions.explode(all.column("predicted_labels")))
        : Map.of();
  }

  private static long generated(Results all) {
    return all.has("generated_tokens")
        ? all.rows().agg(sum(all.column("generated_tokens"))).head().getLong(0)
        : 0;
  }

  private static Map<String, Integer> lengths(boolean none, Row sums) {
    Map<String, Integer> lengths = new LinkedHashMap<>();
    if (!none) {
      List<Integer> values = sums.getList(4);
      for (int i = 0; i < LENGTHS.size(); i++) {
        lengths.put(LENGTHS.get(i), values.get(i));
      }
    }
    return lengths;
  }
}
