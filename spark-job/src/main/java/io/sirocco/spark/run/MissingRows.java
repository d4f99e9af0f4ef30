package io.sirocco.spark.run;

import io.sirocco.spark.output.DurableResults;
import io.sirocco.spark.output.FailedRows;
import java.io.IOException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Which rows of an input have no durable result: a join among the executors. */
record MissingRows(RowIdentity identity, DurableResults durable, FailedRows failed) {

  /**
   * What the engine is given of the rows without a result, each of them once.
   *
   * @param identified by {@link RowIdentity#added}
   */
  Dataset<Row> of(Dataset<Row> identified) throws IOException {
    Dataset<Row> distinct = identity.distinct(identified);
    if (durable.attempts().isEmpty()) {
      return distinct;
    }
    // A merge join sorts on disk: no side of it need fit into memory, and none visits the driver.
    Dataset<Row> done = durable.done(identified.sparkSession(), failed).hint("shuffle_merge");
    return distinct.join(
        done, distinct.col(DurableResults.ROW).equalTo(done.col(DurableResults.ROW)), "left_anti");
  }
}
