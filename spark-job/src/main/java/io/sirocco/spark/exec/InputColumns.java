package io.sirocco.spark.exec;

import io.sirocco.arrow.ArrowRows;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.util.AutoCloseables;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.IntegralType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The columns that the engine is given; fills its input batches. */
record InputColumns(List<InputColumn> columns) implements Serializable {

  InputColumns {
    columns = List.copyOf(columns);
  }

  /**
   * @throws IllegalArgumentException if a column is missing or has another type
   */
  static InputColumns of(StructType rows, RowColumns wanted) {
    List<InputColumn> columns = new ArrayList<>(model(rows, wanted.model()));
    wanted.key().ifPresent(column -> columns.add(text(ArrowRows.KEY, rows, column)));
    wanted.labels().ifPresent(column -> columns.add(texts(ArrowRows.LABELS, rows, column)));
    wanted.adapter().ifPresent(column -> columns.add(text(ArrowRows.ADAPTER, rows, column)));
    return new InputColumns(columns);
  }

  /** What the row weighs in a batch, in characters or their like. */
  long weight(Row row) {
    return columns.stream().mapToLong(column -> column.weight(row)).sum();
  }

  /** The caller owns the result. */
  VectorSchemaRoot batch(List<Row> rows, BufferAllocator allocator) {
    List<FieldVector> vectors = new ArrayList<>();
    try {
      for (InputColumn column : columns) {
        FieldVector vector = column.vector(allocator);
        vectors.add(vector);
        vector.allocateNew();
        for (int row = 0; row < rows.size(); row++) {
          column.fill(vector, row, rows.get(row));
        }
      }
      VectorSchemaRoot root = new VectorSchemaRoot(vectors);
      root.setRowCount(rows.size());
      return root;
    } catch (RuntimeException e) {
      AutoCloseables.close(e, vectors);
      throw e;
    }
  }

  private static List<InputColumn> model(StructType rows, ModelInput input) {
    if (input instanceof ModelInput.Text text) {
      return List.of(text(ArrowRows.TEXT, rows, text.column()));
    }
    if (input instanceof ModelInput.Messages messages) {
      return List.of(text(ArrowRows.MESSAGES, rows, messages.column()));
    }
    ModelInput.Tokens tokens = (ModelInput.Tokens) input;
    return Stream.concat(
            Stream.of(integers(ArrowRows.INPUT_IDS, rows, tokens.idsColumn())),
            tokens.maskColumn().stream()
                .map(column -> integers(ArrowRows.ATTENTION_MASK, rows, column)))
        .toList();
  }

  private static InputColumn text(String name, StructType rows, String column) {
    int position = position(rows, column);
    if (!(rows.fields()[position].dataType() instanceof StringType)) {
      throw wrongType(rows.fields()[position], "string");
    }
    return new InputColumn.Text(name, position);
  }

  private static InputColumn texts(String name, StructType rows, String column) {
    int position = position(rows, column);
    DataType type = rows.fields()[position].dataType();
    if (!(type instanceof ArrayType array && array.elementType() instanceof StringType)) {
      throw wrongType(rows.fields()[position], "array of string");
    }
    return new InputColumn.Texts(name, position);
  }

  private static InputColumn integers(String name, StructType rows, String column) {
    int position = position(rows, column);
    DataType type = rows.fields()[position].dataType();
    if (!(type instanceof ArrayType array && array.elementType() instanceof IntegralType)) {
      throw wrongType(rows.fields()[position], "array of tinyint, smallint, int or bigint");
    }
    return new InputColumn.Integers(name, position);
  }

  /** As Spark resolves names: upper and lower case are one; the exact name wins. */
  static int position(StructType rows, String column) {
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
