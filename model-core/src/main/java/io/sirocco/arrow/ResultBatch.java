package io.sirocco.arrow;

import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * The results of one batch of rows: at least one result row for each, together and in the order of
 * the rows.
 */
public final class ResultBatch implements AutoCloseable {
  private final VectorSchemaRoot columns;
  private final int[] inputRows;

  /** Takes over both. */
  ResultBatch(VectorSchemaRoot columns, int[] inputRows) {
    this.columns = columns;
    this.inputRows = inputRows;
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

  @Override
  public void close() {
    columns.close();
  }
}
