package io.sirocco.spark.run;

import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.output.DurableResults;
import io.sirocco.spark.output.Publication;
import java.io.IOException;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/** Puts the input's rows and their durable results together, and shows them. */
final class ResultAssembly {
  private final RunSetup setup;
  private final DistinctRows rows;
  private final DurableResults durable;
  private final Publication publication;

  ResultAssembly(DistinctRows rows, DurableResults durable) throws IOException {
    this.setup = rows.setup();
    this.rows = rows;
    this.durable = durable;
    this.publication = setup.target().publication();
  }

  /**
   * Writes them, and looks whether all are there; what was written is counted. {@link #show} or
   * {@link #discard} is to follow.
   *
   * @throws IllegalStateException if a row has no result, or there are more or fewer than came in
   */
  OutputCounts write() throws IOException {
    Dataset<Row> joined = rows.joined(durable.newest(setup.spark()));
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
        OutputCounts.of(
            staged(apart),
            setup.settings().resultColumns(),
            prefix(),
            setup.config().model().maxTokens());
    try {
      counts.requireEveryRow(setup.expected(), setup.plan().samples());
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

  private String prefix() {
    return setup.config().output().prefix();
  }
}
