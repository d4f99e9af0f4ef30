package io.sirocco.spark.job;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/** The first results, as a table for the terminal. */
final class ResultSample {
  private static final int ROWS = 8;
  private static final int WIDTH = 48;

  /** The others are too long for a terminal. */
  private static final Set<String> SHOWN =
      Set.of(
          "predicted_label",
          "predicted_score",
          "predicted_labels",
          "predicted_value",
          "predicted_values",
          "token_count",
          "status");

  private ResultSample() {}

  static String of(Dataset<Row> results, JobConfig config) {
    List<String> wanted = new ArrayList<>(config.input().keyColumns());
    config.input().textColumn().ifPresent(wanted::add);
    String prefix = config.output().prefix();
    boolean vertical = false;
    Column[] columns =
        Arrays.stream(results.columns())
            .filter(name -> wanted.contains(name) || isShown(name, prefix))
            .map(name -> functions.col("`" + name.replace("`", "``") + "`"))
            .toArray(Column[]::new);
    return results.select(columns).showString(ROWS, WIDTH, vertical);
  }

  private static boolean isShown(String name, String prefix) {
    return name.startsWith(prefix) && SHOWN.contains(name.substring(prefix.length()));
  }
}
