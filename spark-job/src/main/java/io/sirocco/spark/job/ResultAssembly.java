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

/** Puts the input's rows and their durable results together, and shows them. */
final class ResultAssembly {
  private static final String RESULT = "__sirocco_result";

  private final RunSetup setup;
  private final Dataset<Row> identified;
  private final DurableResults durable;
  private final StructType type;
  private final Publication publication;

  /**
   * @param identified the input, with {@link DurableResults#ROW}
   * @param type the result columns, without prefix
   */
  ResultAssembly(RunSetup setup, Dataset<Row> identified, DurableResults durable, StructType type)
      throws IOException {
    this.setup = setup;
    this.identified = identified;
    this.durable = durable;
    this.type = type;
    this.publication = setup.target().publication();
  }

  /**
   * Writes them, and looks whether all are there; what was written is counted. {@link #show} or
   * {@link #discard} is to follow.
   *
   * @throws IllegalStateException if a row has no result, or there are more or fewer than came in
   */
  OutputCounts write() throws IOException {
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
        OutputCounts.of(staged(apart), prefix(), setup.config().model().maxTokens());
    try {
      counts.requireEveryRow(setup.expected(), JobConfig.samples(setup.plan()));
    } catch (IllegalStateException e) {
      requireUndamaged(e);
      throw e;
    }
    return counts;
  }

  /** Rows count as done by two columns of their results; the others may be beyond reading. */
  private void requireUndamaged(IllegalStateException problem) throws IOException {
    List<String> damaged = durable.putDamagedAside(setup.spark());
    if (!damaged.isEmpty()) {
      throw new IllegalStateException(
          "results were in files that are damaged: "
              + String.join(", ", damaged)
              + "; they are passed over from now on, and their rows computed again",
          problem);
    }
  }

  /** Puts what was written in the place of earlier results. */
  void show() throws IOException {
    publication.publish();
  }

  /** Keeps earlier results. */
  void discard() throws IOException {
    publication.discard();
  }

  private Dataset<Row> staged(boolean apart) {
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
