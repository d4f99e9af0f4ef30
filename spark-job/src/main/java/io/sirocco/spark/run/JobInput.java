package io.sirocco.spark.run;

import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.config.InputFormat;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.sizing.TaskSizing;
import io.sirocco.spark.sizing.Work;
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
import org.apache.spark.sql.types.StructType;

/** The rows of a job. */
final class JobInput {
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
   * How many rows there are, and how much work they are; {@code tokens} estimates that of a row.
   */
  Work work(Dataset<Row> rows, Column tokens) throws Exception {
    try {
      return TaskSizing.measure(rows, tokens);
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
