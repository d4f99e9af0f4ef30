package io.sirocco.spark.run;

import io.sirocco.sampling.GenerationKey;
import io.sirocco.spark.exec.DataFrameTask;
import io.sirocco.spark.exec.RowColumns;
import io.sirocco.spark.exec.RowCounters;
import io.sirocco.spark.exec.RowSettings;
import io.sirocco.spark.exec.RunTotals;
import io.sirocco.spark.output.DurableResults;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The rows of an input, each that differs from the others computed once, and its results given to
 * all that are equal to it.
 *
 * @param identified the input, with {@link DurableResults#ROW}
 */
record DistinctRows(RunSetup setup, RowIdentity identity, Dataset<Row> identified) {
  private static final String RESULT = "__sirocco_result";

  static DistinctRows of(RunSetup setup) {
    RowIdentity identity = RowIdentity.of(setup.columns(), draws(setup));
    return new DistinctRows(setup, identity, identity.added(setup.rows()));
  }

  /** Whether texts are drawn at random, by what the job and the model say. */
  private static boolean draws(RunSetup setup) {
    return setup.plan().settings().stream()
        .filter(setting -> setting.key().equals(GenerationKey.DO_SAMPLE.name()))
        .anyMatch(setting -> Boolean.parseBoolean(setting.value()));
  }

  /** {@link DurableResults#ROW} and what the engine is given, of each row once. */
  Dataset<Row> all() {
    return identity.distinct(identified);
  }

  /** {@link DurableResults#ROW} and the results, without prefix, of some of {@link #all}. */
  Dataset<Row> results(Dataset<Row> some, RunTotals totals) {
    return DataFrameTask.results(some, engineColumns(), withoutPrefix(), RowCounters.into(totals));
  }

  /** Nothing of the rows but what they are, and their results. */
  private RowColumns engineColumns() {
    return setup.columns().columns().hiding(identity.given().toArray(String[]::new));
  }

  private RowSettings withoutPrefix() {
    RowSettings settings = setup.settings();
    return new RowSettings(settings.engine(), settings.results(), settings.model(), "");
  }

  /** Of the engine's results, without prefix. */
  StructType resultType() {
    StructType all = DataFrameTask.resultType(all().schema(), engineColumns(), withoutPrefix());
    return new StructType(
        Arrays.stream(all.fields())
            .filter(field -> !field.name().equals(DurableResults.ROW))
            .toArray(StructField[]::new));
  }

  /** Every row of the input with its own columns and those of its results. */
  Dataset<Row> joined(Dataset<Row> results) {
    StructType type = resultType();
    Column[] parts =
        Arrays.stream(type.fieldNames())
            .map(name -> functions.col(EngineColumns.quoted(name)))
            .toArray(Column[]::new);
    // A merge join sorts on disk: no side of it need fit into memory.
    Dataset<Row> packed =
        results
            .select(functions.col(DurableResults.ROW), functions.struct(parts).as(RESULT))
            .hint("shuffle_merge");
    Column same = identified.col(DurableResults.ROW).equalTo(packed.col(DurableResults.ROW));
    return identified.join(packed, same, "left").select(columns(type));
  }

  /** As {@link EngineColumns#resultType} has them. */
  private Column[] columns(StructType type) {
    StructType wanted = setup.columns().resultType(setup.rows(), setup.settings());
    List<Column> columns = new ArrayList<>();
    int own = wanted.length() - type.length();
    for (int i = 0; i < wanted.length(); i++) {
      String name = wanted.fieldNames()[i];
      columns.add(
          i < own
              ? functions.col(EngineColumns.quoted(name))
              : functions.col(RESULT).getField(type.fieldNames()[i - own]).as(name));
    }
    return columns.toArray(Column[]::new);
  }
}
