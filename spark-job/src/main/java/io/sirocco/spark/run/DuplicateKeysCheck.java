package io.sirocco.spark.run;

import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.config.JobConfig;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/** Whether a job's key columns tell its rows apart. */
final class DuplicateKeysCheck {
  private static final int SHOWN = 5;
  private static final String KEY = "key";
  private static final String ROWS = "rows";

  private DuplicateKeysCheck() {}

  /**
   * Looks at all keys, if the job has any and does not number them.
   *
   * @throws ConfigException if rows have the same key; it names some
   */
  static void requireUnique(Dataset<Row> rows, EngineColumns columns, JobConfig config) {
    List<String> keyColumns = config.input().keyColumns();
    if (keyColumns.isEmpty() || config.input().duplicateKeys() == JobConfig.DuplicateKeys.NUMBER) {
      return;
    }
    Column count = functions.col(ROWS);
    List<Row> found =
        rows.select(columns.keyOf(rows.schema()).as(KEY))
            .groupBy(KEY)
            .agg(functions.count(functions.lit(1)).as(ROWS))
            .filter(count.gt(1))
            .orderBy(count.desc(), functions.col(KEY))
            .limit(SHOWN)
            .collectAsList();
    if (!found.isEmpty()) {
      String named =
          found.stream()
              .map(row -> row.getString(0) + " (" + row.getLong(1) + " rows)")
              .collect(Collectors.joining(", "));
      throw new ConfigException(
          "input.key-columns",
          String.join(", ", keyColumns),
          "columns that tell rows apart, but these are the same in several rows: "
              + named
              + "; name further columns, remove the repeated rows, or set input.duplicate-keys to"
              + " number");
    }
  }
}
