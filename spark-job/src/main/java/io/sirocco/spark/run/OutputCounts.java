package io.sirocco.spark.run;

import io.sirocco.spark.exec.Totals;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * What results hold, counted from the results themselves.
 *
 * @param totals as they are added up while results are computed
 * @param unanswered rows without a status, of which there must be none
 * @param results how many, where rows have several
 * @param rowLength tokens of a row, by percentile: {@code p50}, {@code p90}, {@code p99}, {@code
 *     max}; empty where no row has any
 */
public record OutputCounts(
    Totals totals, long unanswered, OptionalLong results, Map<String, Integer> rowLength) {
  /** Of a run whose results are not looked at again. */
  public static OutputCounts of(Totals totals) {
    return new OutputCounts(totals, 0, OptionalLong.empty(), Map.of());
  }

  /**
   * Reads the results, columns of them only, once.
   *
   * @param columns those of {@code results} that are not the input's own, without the prefix
   * @param prefix of these columns
   * @param maxTokens what longer rows were cut to
   */
  public static OutputCounts of(
      Dataset<Row> results, Set<String> columns, String prefix, int maxTokens) {
    return ResultTally.count(results, columns, prefix, maxTokens);
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
}
