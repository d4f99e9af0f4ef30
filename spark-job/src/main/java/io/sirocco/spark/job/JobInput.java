package io.sirocco.spark.job;

import io.sirocco.spark.exec.ModelInput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The rows of a job, with a column that says what the model is given for each. */
final class JobInput {
  /** Added to the rows for the model, and dropped again from the results. */
  static final String TEXT = "__sirocco_text";

  private final SparkSession spark;
  private final JobConfig.Input config;

  JobInput(SparkSession spark, JobConfig.Input config) {
    this.spark = spark;
    this.config = config;
  }

  /**
   * All rows, lazily; formats without a schema of their own are read through once to find it,
   * unless the job gives one.
   */
  Dataset<Row> rows() {
    try {
      return config.table().isPresent()
          ? spark.table(config.table().get())
          : load(config.schema().map(JobInput::parsed));
    } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
      throw unreadable(e);
    }
  }

  /** At most {@code limit} rows; reads hardly more, also to find the schema. */
  Dataset<Row> sample(int limit) {
    boolean textual = config.format() == InputFormat.JSON || config.format() == InputFormat.CSV;
    Map<String, String> options = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    options.putAll(config.options());
    boolean lines = !"true".equalsIgnoreCase(options.get("multiLine"));
    if (config.table().isPresent() || config.schema().isPresent() || !textual || !lines) {
      return rows().limit(limit);
    }
    try {
      List<String> head =
          spark
              .read()
              .options(config.options())
              .text(paths())
              .select("value")
              .limit(limit + 1)
              .as(Encoders.STRING())
              .collectAsList();
      Dataset<String> sampled = spark.createDataset(head, Encoders.STRING());
      DataFrameReader reader = spark.read().options(config.options());
      StructType schema =
          (config.format() == InputFormat.JSON ? reader.json(sampled) : reader.csv(sampled))
              .schema();
      return load(Optional.of(schema)).limit(limit);
    } catch (Exception e) { // Spark's are checked, though its methods declare none.
      throw unreadable(e);
    }
  }

  /**
   * How many rows are read as the job reads them: whole, because a reader that drops malformed
   * lines drops none where it looks at no column.
   */
  long count(Dataset<Row> rows) throws Exception {
    try {
      return rows.queryExecution().toRdd().count();
    } catch (Exception e) { // Spark's are checked, though its methods declare none.
      throw isOfTheInput(e) ? unreadable(e) : e;
    }
  }

  /** Whether trying again, or elsewhere, would not help. */
  private static boolean isOfTheInput(Throwable problem) {
    for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage());
      if (cause instanceof AnalysisException || message.contains("MALFORMED_RECORD_IN_PARSING")) {
        return true;
      }
    }
    return false;
  }

  /** The rows with the model's input; checks every column that the job names. */
  Dataset<Row> withModelInput(Dataset<Row> rows) {
    StructType schema = rows.schema();
    if (Arrays.stream(schema.fieldNames()).anyMatch(TEXT::equalsIgnoreCase)) {
      throw new ConfigException(
          "the input has a column " + TEXT + ", a name that Sirocco uses itself; rename it");
    }
    config.keyColumns().forEach(key -> field("input.key-columns", key, schema));
    if (config.tokensColumn().isPresent()) {
      requireIntegers("input.tokens-column", config.tokensColumn().get(), schema);
      config
          .attentionMaskColumn()
          .ifPresent(mask -> requireIntegers("input.attention-mask-column", mask, schema));
      return rows;
    }
    Column text =
        config.textColumn().isPresent()
            ? textOf("input.text-column", config.textColumn().get(), schema)
            : rendered(config.template().orElseThrow(), schema);
    return rows.withColumn(TEXT, text);
  }

  ModelInput modelInput() {
    return config.tokensColumn().isPresent()
        ? ModelInput.Tokens.of(config.tokensColumn().get(), config.attentionMaskColumn())
        : new ModelInput.HiddenText(TEXT);
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

  private Dataset<Row> load(Optional<StructType> schema) {
    DataFrameReader reader =
        spark
            .read()
            .format(config.format().name().toLowerCase(Locale.ROOT))
            .options(config.options());
    return schema.map(reader::schema).orElse(reader).load(paths());
  }

  private static StructType parsed(String ddl) {
    try {
      return StructType.fromDDL(ddl);
    } catch (Exception e) { // Spark's are checked, though its methods declare none.
      String problem = String.valueOf(e.getMessage()).strip();
      throw new ConfigException(
          "input.schema", ddl, "names and types in Spark's DDL; it says: " + problem);
    }
  }

  private String[] paths() {
    return config.path().toArray(new String[0]);
  }

  private ConfigException unreadable(Exception e) {
    if (e instanceof ConfigException problem) {
      return problem;
    }
    String source = config.table().orElseGet(() -> String.join(", ", config.path()));
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return new ConfigException(
        config.table().isPresent() ? "input.table" : "input.path",
        source,
        "something Spark can read; it says: " + String.valueOf(root.getMessage()).strip());
  }
}
