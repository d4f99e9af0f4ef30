package io.sirocco.spark.exec;

import io.sirocco.arrow.ArrowRows;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Gives the rows of a DataFrame to the engines of the executors: every row comes out, in its
 * partition's order, with its results or the reason for none; several times in a row where several
 * texts are written for it.
 */
public final class DataFrameTask {
  private DataFrameTask() {}

  /**
   * The rows with the columns of {@link #resultType}. Nothing is computed before the result is
   * consumed, and each time it is.
   *
   * @throws ColumnConflictException if a result column has the name of an input column
   * @throws IllegalArgumentException if a column of the input is missing or has another type
   */
  public static Dataset<Row> results(
      Dataset<Row> rows, RowColumns columns, RowSettings settings, RowCounters counters) {
    StructType type = resultType(rows.schema(), columns, settings);
    PartitionTask partition =
        new PartitionTask(
            settings.engine(),
            settings.results(),
            InputColumns.of(rows.schema(), columns),
            kept(rows.schema(), columns),
            settings.model().source(),
            settings.model().fingerprint(),
            counters);
    return withTypes(rows.mapPartitions(partition, Encoders.row(type)), type);
  }

  /** Spark's row encoder widens some types, such as {@code interval day} to day to second. */
  private static Dataset<Row> withTypes(Dataset<Row> rows, StructType type) {
    if (rows.schema().equals(type)) {
      return rows;
    }
    Column[] columns =
        Stream.of(type.fields())
            .map(
                field ->
                    rows.col("`" + field.name().replace("`", "``") + "`")
                        .cast(field.dataType())
                        .as(field.name(), field.metadata()))
            .toArray(Column[]::new);
    return rows.select(columns);
  }

  /**
   * The input's columns, without the hidden ones, then the result columns of {@link
   * ArrowRows#resultSchema}, their names behind the prefix.
   *
   * @throws ColumnConflictException if a result column has the name of an input column
   * @throws IllegalArgumentException if a column of the input is missing
   */
  public static StructType resultType(StructType rows, RowColumns columns, RowSettings settings) {
    List<StructField> fields = new ArrayList<>();
    kept(rows, columns).forEach(column -> fields.add(rows.fields()[column]));
    List<StructField> results =
        ResultTypes.fields(
            ArrowRows.resultSchema(settings.results(), settings.model().labels()),
            settings.prefix());
    for (StructField field : fields) {
      if (results.stream().anyMatch(result -> result.name().equalsIgnoreCase(field.name()))) {
        throw new ColumnConflictException(field.name(), settings.prefix());
      }
    }
    fields.addAll(results);
    return new StructType(fields.toArray(StructField[]::new));
  }

  private static List<Integer> kept(StructType rows, RowColumns columns) {
    Set<Integer> hidden =
        columns.hidden().stream()
            .map(column -> InputColumns.position(rows, column))
            .collect(Collectors.toSet());
    return IntStream.range(0, rows.length())
        .filter(column -> !hidden.contains(column))
        .boxed()
        .toList();
  }
}
