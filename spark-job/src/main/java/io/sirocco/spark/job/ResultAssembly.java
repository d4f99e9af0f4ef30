package io.sirocco.spark.job;

import io.sirocco.spark.output.DurableResults;
import io.sirocco.spark.output.Publication;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;

/**
 * Puts the input's rows and their durable results together.
 *
 * @param identified the input, with {@link DurableResults#ROW}
 * @param type the result columns, without prefix
 */
record ResultAssembly(
    RunSetup setup, Dataset<Row> identified, DurableResults durable, StructType type) {
  private static final String RESULT = "__sirocco_result";

  /**
   * Writes them, looks whether all are there, and shows them; what was written is counted.
   *
   * @throws IllegalStateException if a row has no result, or there are more or fewer than came in
   */
  OutputCounts publish() throws IOException {
    Publication publication = setup.target().publication();
    Dataset<Row> joined = joined();
    boolean apart = setup.config().errors().keep() == JobConfig.Keep.SEPARATE;
    if (apart) {
      Column ok =
          functions.coalesce(
              joined.col(EngineColumns.quoted(prefix() + "status")).equalTo("ok"),
              functions.lit(false));
      publication.stage(joined.filter(ok), joined.filter(functions.not(ok)));
    } else {
      publication.stage(joined);
    }
    OutputCounts counts =
        OutputCounts.of(staged(publication, apart), prefix(), setup.config().model().maxTokens());
    counts.requireEveryRow(setup.expected());
    publication.publish();
    return counts;
  }

  private Dataset<Row> staged(Publication publication, boolean apart) {
    Dataset<Row> staged = setup.spark().read().parquet(publication.staging().toString());
    return apart
        ? staged.unionByName(setup.spark().read().parquet(publication.stagedFailures().toString()))
        : staged;
  }

  /** Every row of the input with its own columns and those of its results. */
  private Dataset<Row> joined() throws IOException {
    Column[] parts =
        Arrays.stream(type.fieldNames())
            .map(name -> functions.col(EngineColumns.quoted(name)))
            .toArray(Column[]::new);
    Dataset<Row> results =
        durable
            .newest(setup.spark())
            .select(functions.col(DurableResults.ROW), functions.struct(parts).as(RESULT))
            .hint("shuffle_merge");
    Column same = identified.col(DurableResults.ROW).equalTo(results.col(DurableResults.ROW));
    return identified.join(results, same, "left").select(columns());
  }

  /** As {@link EngineColumns#resultType} has them. */
  private Column[] columns() {
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

  private String prefix() {
    return setup.config().output().prefix();
  }
}
