package io.sirocco.spark.run;

import io.sirocco.spark.config.JobConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
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
          "generated_text",
          "finish_reason",
          "prompt_tokens",
          "generated_tokens",
          "sample_index",
          "embedding",
          "status");

  private ResultSample() {}

  /**
   * A table of some columns and rows.
   *
   * @param resultColumns that this job has written, without the prefix: an input may have columns
   *     with the names of others
   */
  static String of(Dataset<Row> results, Set<String> resultColumns, JobConfig config) {
    List<String> wanted = new ArrayList<>(config.input().keyColumns());
    config.input().textColumn().ifPresent(wanted::add);
    Set<String> shownResults =
        SHOWN.stream()
            .filter(resultColumns::contains)
            .map(name -> config.output().prefix() + name)
            .collect(Collectors.toSet());
    Column[] columns =
        Arrays.stream(results.columns())
            .filter(name -> isWanted(name, wanted) || shownResults.contains(name))
            .map(name -> functions.col(EngineColumns.quoted(name)))
            .toArray(Column[]::new);
    Dataset<Row> shown = results.select(columns).limit(ROWS);
    List<List<String>> table = new ArrayList<>();
    table.add(List.of(shown.columns()));
    for (Row row : shown.collectAsList()) {
      List<String> cells = new ArrayList<>();
      for (int column = 0; column < row.size(); column++) {
        cells.add(cell(row.get(column)));
      }
      table.add(cells);
    }
    return aligned(table);
  }

  private static boolean isWanted(String name, List<String> wanted) {
    return wanted.stream().anyMatch(name::equalsIgnoreCase);
  }

  /** On one line, and no longer than a column may be. */
  private static String cell(Object value) {
    String text =
        value instanceof Double number
            ? String.format(Locale.ROOT, "%.4f", number)
            : value instanceof scala.collection.Seq<?> list
                ? list.mkString("[", ", ", "]").replaceAll("\\p{Cntrl}+", " ")
                : String.valueOf(value).replaceAll("\\p{Cntrl}+", " ");
    return text.length() <= WIDTH ? text : text.substring(0, WIDTH - 3) + "...";
  }

  private static String aligned(List<List<String>> table) {
    int columns = table.get(0).size();
    int[] widths = new int[columns];
    for (List<String> row : table) {
      for (int column = 0; column < columns; column++) {
        widths[column] = Math.max(widths[column], row.get(column).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> row : table) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < columns; column++) {
        String cell = row.get(column);
        line.append(cell).append(" ".repeat(widths[column] - cell.length() + 2));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }
}
