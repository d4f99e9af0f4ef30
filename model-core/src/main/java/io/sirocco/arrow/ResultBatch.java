package io.sirocco.arrow;

import io.sirocco.engine.RowCost;
import java.util.List;
import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * The results of one batch of rows: at least one result row for each, together and in the order of
 * the rows.
 */
public final class ResultBatch implements AutoCloseable {
  private final VectorSchemaRoot columns;
  private final int[] inputRows;
  private final List<RowCost> costs;

  /** Takes over the columns; {@code costs} are of the input's rows. */
  ResultBatch(VectorSchemaRoot columns, int[] inputRows, List<RowCost> costs) {
    this.columns = columns;
    this.inputRows = inputRows;
    this.costs = costs;
  }

  /** With the columns of {@link ArrowRows#resultSchema}; closed with this. */
  public VectorSchemaRoot columns() {
    return columns;
  }

  /** Result rows. */
  public int size() {
    return inputRows.length;
  }

  /** The row of the input batch that a result row belongs to. */
  public int inputRow(int resultRow) {
    return inputRows[resultRow];
  }

  /** What the answer to a row of the input batch took. */
  public RowCost cost(int inputRow) {
    return costs.get(inputRow);
  }

  @Override
  public void close() {
    columns.close();
  }
}
