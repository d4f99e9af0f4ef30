package io.sirocco.spark.run;

import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.config.Template;
import io.sirocco.spark.exec.ColumnConflictException;
import io.sirocco.spark.exec.DataFrameTask;
import io.sirocco.spark.exec.ModelInput;
import io.sirocco.spark.exec.RowColumns;
import io.sirocco.spark.exec.RowSettings;
import io.sirocco.spark.output.OutputTarget;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.TimestampType;

/** What the engine is given of a row: columns of the input, and columns made of them. */
final class EngineColumns {
  private static final String OWN = "__sirocco_";

  /** What the model reads: added to the rows, and dropped again from the results. */
  static final String TEXT = "__sirocco_text";

  /** The row's key, likewise. */
  static final String KEY = "__sirocco_key";

  private final JobConfig config;
  private final JobConfig.Input input;

  EngineColumns(JobConfig config) {
    this.config = config;
    this.input = config.input();
  }

  /**
   * The rows with the columns made for the engine.
   *
   * @throws ConfigException if a column that the job names is missing or has another type
   */
  Dataset<Row> added(Dataset<Row> rows) {
    StructType schema = rows.schema();
    for (String column : schema.fieldNames()) {
      if (column.toLowerCase(Locale.ROOT).startsWith(OWN)) {
        throw new ConfigException(
            "the input has a column "
                + column
                + ", but names that begin with "
                + OWN
                + " are Sirocco's own; rename it");
      }
    }
    List<StructField> keys =
        input.keyColumns().stream().map(key -> field("input.key-columns", key, schema)).toList();
    config
        .score()
        .labelsColumn()
        .ifPresent(labels -> requireTexts("score.labels-column", labels, schema));
    adapterColumn().ifPresent(column -> requireText("model.adapter-column", column, schema));
    Dataset<Row> read = rows;
    if (input.tokensColumn().isPresent()) {
      requireIntegers("input.tokens-column", input.tokensColumn().get(), schema);
      input
          .attentionMaskColumn()
          .ifPresent(mask -> requireIntegers("input.attention-mask-column", mask, schema));
    } else {
      read = rows.withColumn(TEXT, read(schema));
    }
    return hasKey() ? read.withColumn(KEY, key(keys)) : read;
  }

  /**
   * The key of a row of {@link #added}, as text; where the job says so, with a number where it is
   * not the first row of that key.
   *
   * @throws ConfigException if a key column is missing
   */
  private Column key(List<StructField> keys) {
    Column key = keyText(keys);
    if (input.duplicateKeys() == JobConfig.DuplicateKeys.ERROR) {
      return key;
    }
    // By all that an answer depends on: rows that are alike in it may have each other's number.
    Column[] order =
        Stream.of(
                Optional.of(modelColumn()),
                input.attentionMaskColumn(),
                config.score().labelsColumn(),
                adapterColumn())
            .flatMap(Optional::stream)
            .map(column -> functions.col(quoted(column)))
            .toArray(Column[]::new);
    Column number = functions.row_number().over(Window.partitionBy(key).orderBy(order));
    return functions
        .when(number.equalTo(1), key)
        .otherwise(functions.concat(key, functions.lit("#"), number.cast(DataTypes.StringType)));
  }

  /** The key columns of these rows as one text; no two lists of values are the same. */
  Column keyOf(StructType schema) {
    return keyText(
        input.keyColumns().stream().map(key -> field("input.key-columns", key, schema)).toList());
  }

  /** What the model reads most of: a text, or tokens. */
  String modelColumn() {
    return input.tokensColumn().orElse(TEXT);
  }

  /**
   * All that the answer to a row depends on.
   *
   * @param draws whether texts are drawn at random: then their keys are among it
   */
  List<String> answerColumns(boolean draws) {
    List<String> columns = new ArrayList<>(List.of(modelColumn()));
    input.attentionMaskColumn().ifPresent(columns::add);
    config.score().labelsColumn().ifPresent(columns::add);
    adapterColumn().ifPresent(columns::add);
    if (draws && hasKey()) {
      columns.add(KEY);
    }
    return columns;
  }

  /** What the engine is given of a row: that, and its key in any case. */
  List<String> engineColumns() {
    boolean draws = true;
    return answerColumns(draws);
  }

  /** Where the engine finds what it is given in {@link #added}. */
  RowColumns columns() {
    RowColumns columns = RowColumns.of(modelInput());
    List<String> hidden = new ArrayList<>();
    if (hasKey()) {
      columns = columns.withKey(KEY);
      hidden.add(KEY);
    }
    if (config.score().labelsColumn().isPresent()) {
      columns = columns.withLabels(config.score().labelsColumn().get());
    }
    if (adapterColumn().isPresent()) {
      columns = columns.withAdapter(adapterColumn().get());
    }
    if (input.tokensColumn().isEmpty()) {
      hidden.add(TEXT);
    }
    return columns.hiding(hidden.toArray(String[]::new));
  }

  /**
   * Of the results: the input's columns first.
   *
   * @param rows those of {@link #added}
   * @throws ConfigException if a result column has the name of one of the input, or Parquet does
   *     not know the type of a column
   */
  StructType resultType(Dataset<Row> rows, RowSettings settings) {
    try {
      StructType type = DataFrameTask.resultType(rows.schema(), columns(), settings);
      OutputTarget.refused(type)
          .ifPresent(
              field -> {
                throw new ConfigException(
                    "the input's column `" + field.name() + "`",
                    field.dataType().simpleString(),
                    "a type that Parquet has: name another one in input.schema, or leave the"
                        + " column out there");
              });
      return type;
    } catch (ColumnConflictException e) {
      throw new ConfigException(
          "output.prefix", config.output().prefix(), "another one: " + e.getMessage());
    }
  }

  private ModelInput modelInput() {
    if (input.tokensColumn().isPresent()) {
      return new ModelInput.Tokens(input.tokensColumn().get(), input.attentionMaskColumn());
    }
    return input.messagesColumn().isPresent()
        ? new ModelInput.Messages(TEXT)
        : new ModelInput.Text(TEXT);
  }

  private Optional<String> adapterColumn() {
    return config.model().adapters().column();
  }

  /** Only random draws depend on it. */
  private boolean hasKey() {
    return config.task() == JobConfig.Task.GENERATE && !input.keyColumns().isEmpty();
  }

  /** A JSON array of texts, so that no two lists of values are one key. */
  private static Column keyText(List<StructField> fields) {
    return functions.to_json(
        functions.array(fields.stream().map(EngineColumns::keyPart).toArray(Column[]::new)));
  }

  /** Casts of a time depend on the session's time zone; bytes need not be text. */
  private static Column keyPart(StructField field) {
    Column column = functions.col(quoted(field.name()));
    if (field.dataType() instanceof TimestampType) {
      return functions.unix_micros(column).cast(DataTypes.StringType);
    }
    return field.dataType() instanceof BinaryType
        ? functions.hex(column)
        : column.cast(DataTypes.StringType);
  }

  /** What the model reads, as text. */
  private Column read(StructType schema) {
    if (input.messagesColumn().isPresent()) {
      return conversation("input.messages-column", input.messagesColumn().get(), schema);
    }
    return input.textColumn().isPresent()
        ? textOf("input.text-column", input.textColumn().get(), schema)
        : rendered(input.template().orElseThrow(), schema);
  }

  /** As JSON; a field that is null is left out, as if the message did not have it. */
  private static Column conversation(String key, String name, StructType schema) {
    StructField field = field(key, name, schema);
    Column column = functions.col(quoted(field.name()));
    if (field.dataType() instanceof StringType) {
      return column;
    }
    boolean messages =
        field.dataType() instanceof ArrayType array
            && array.elementType() instanceof StructType message
            && Arrays.asList(message.fieldNames()).containsAll(List.of("role", "content"));
    if (!messages) {
      throw new ConfigException(
          key,
          name,
          "a column of array<struct<role,content>>, or of JSON text; its type is "
              + field.dataType().simpleString());
    }
    return functions.to_json(column);
  }

  /** One expression; null where a column in it is null. */
  private static Column rendered(Template template, StructType schema) {
    List<Column> parts = new ArrayList<>();
    for (Template.Part part : template.parts()) {
      if (part instanceof Template.Literal literal) {
        parts.add(functions.lit(literal.text()));
      } else {
        parts.add(textOf("input.template", ((Template.Placeholder) part).column(), schema));
      }
    }
    return functions.concat(parts.toArray(new Column[0]));
  }

  private static Column textOf(String key, String name, StructType schema) {
    StructField field = field(key, name, schema);
    DataType type = field.dataType();
    if (type instanceof ArrayType || type instanceof MapType || type instanceof StructType) {
      throw new ConfigException(
          key, name, "a column of text, or of a simple type; its type is " + type.simpleString());
    }
    return functions.col(quoted(field.name())).cast(DataTypes.StringType);
  }

  private static void requireIntegers(String key, String name, StructType schema) {
    DataType type = field(key, name, schema).dataType();
    boolean integers =
        type instanceof ArrayType array
            && List.of(DataTypes.IntegerType, DataTypes.LongType, DataTypes.ShortType)
                .contains(array.elementType());
    if (!integers) {
      throw new ConfigException(
          key, name, "a column of array<int>; its type is " + type.simpleString());
    }
  }

  private static void requireText(String key, String name, StructType schema) {
    DataType type = field(key, name, schema).dataType();
    if (!(type instanceof StringType)) {
      throw new ConfigException(
          key, name, "a column of string; its type is " + type.simpleString());
    }
  }

  private static void requireTexts(String key, String name, StructType schema) {
    DataType type = field(key, name, schema).dataType();
    if (!(type instanceof ArrayType array && array.elementType() instanceof StringType)) {
      throw new ConfigException(
          key, name, "a column of array<string>; its type is " + type.simpleString());
    }
  }

  /** Upper and lower case are one; the exact name wins, where a session tells them apart. */
  private static StructField field(String key, String name, StructType schema) {
    Optional<StructField> found =
        Arrays.stream(schema.fields())
            .filter(field -> field.name().equalsIgnoreCase(name))
            .min(Comparator.comparing(field -> !field.name().equals(name)));
    return found.orElseThrow(
        () ->
            new ConfigException(
                key,
                name,
                schema.isEmpty()
                    ? "a column of the input, which has none; if it is empty, set input.schema"
                    : "a column of the input: " + String.join(", ", schema.fieldNames())));
  }

  static String quoted(String column) {
    return "`" + column.replace("`", "``") + "`";
  }
}
