package io.sirocco.spark.exec;

import io.sirocco.arrow.ArrowClassifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.IntegralType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Classifies DataFrames: every row comes out once, with its results or the reason for none. */
public final class DataFrameClassifier {
  private DataFrameClassifier() {}

  /**
   * The rows with the columns of {@link #resultType}. Nothing is computed before the result is
   * consumed, and each time it is.
   *
   * @throws ColumnConflictException if a result column has the name of an input column
   * @throws IllegalArgumentException if a column of the input is missing or has another type
   */
  public static Dataset<Row> classify(
      Dataset<Row> rows, ModelInput input, ClassifySettings settings, RowCounters counters) {
    StructType type = resultType(rows.schema(), input, settings);
    ClassifyPartition partition =
        new ClassifyPartition(
            settings.engine(),
            settings.classify(),
            columns(rows.schema(), input),
            kept(rows.schema(), input),
            settings.labels().names(),
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
   * The input's columns, without {@link ModelInput.HiddenText}, then the result columns of {@link
   * ArrowClassifier#resultSchema}, their names behind the prefix.
   *
   * @throws ColumnConflictException if a result column has the name of an input column
   * @throws IllegalArgumentException if a column of the input is missing
   */
  public static StructType resultType(
      StructType rows, ModelInput input, ClassifySettings settings) {
    List<StructField> fields = new ArrayList<>();
    kept(rows, input).forEach(column -> fields.add(rows.fields()[column]));
    List<StructField> results =
        ResultTypes.fields(
            ArrowClassifier.resultSchema(settings.labels(), settings.classify()),
            settings.prefix());
    for (StructField field : fields) {
      if (results.stream().anyMatch(result -> result.name().equalsIgnoreCase(field.name()))) {
        throw new ColumnConflictException(field.name(), settings.prefix());
      }
    }
    fields.addAll(results);
    return new StructType(fields.toArray(StructField[]::new));
  }

  private static List<Integer> kept(StructType rows, ModelInput input) {
    Optional<Integer> hidden =
        input instanceof ModelInput.HiddenText text
            ? Optional.of(position(rows, text.column()))
            : Optional.empty();
    return IntStream.range(0, rows.length())
        .filter(column -> !hidden.equals(Optional.of(column)))
        .boxed()
        .toList();
  }

  private static InputColumns columns(StructType rows, ModelInput input) {
    if (input instanceof ModelInput.Tokens tokens) {
      return new InputColumns.Tokens(
          Stream.concat(Stream.of(tokens.idsColumn()), tokens.masks().stream())
              .map(column -> integers(rows, column))
              .toList());
    }
    String column =
        input instanceof ModelInput.Text text
            ? text.column()
            : ((ModelInput.HiddenText) input).column();
    int position = position(rows, column);
    if (!(rows.fields()[position].dataType() instanceof StringType)) {
      throw wrongType(rows.fields()[position], "string");
    }
    return new InputColumns.Text(position);
  }

  private static int integers(StructType rows, String column) {
    int position = position(rows, column);
    DataType type = rows.fields()[position].dataType();
    if (!(type instanceof ArrayType array && array.elementType() instanceof IntegralType)) {
      throw wrongType(rows.fields()[position], "array of tinyint, smallint, int or bigint");
    }
    return position;
  }

  /** As Spark resolves names: upper and lower case are one; the exact name wins. */
  private static int position(StructType rows, String column) {
    String[] names = rows.fieldNames();
    return Stream.concat(
            IntStream.range(0, names.length).boxed().filter(i -> names[i].equals(column)),
            IntStream.range(0, names.length).boxed().filter(i -> names[i].equalsIgnoreCase(column)))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no column " + column + " among " + List.of(names)));
  }

  private static IllegalArgumentException wrongType(StructField field, String expected) {
    return new IllegalArgumentException(
        "column "
            + field.name()
            + " is "
            + field.dataType().catalogString()
            + ", expected "
            + expected);
  }
}
