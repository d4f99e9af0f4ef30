package io.sirocco.arrow;

import io.sirocco.engine.RowCost;
import io.sirocco.engine.RowOutcome;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/** Turns outcomes into one result batch. */
final class ResultWriter {
  private final ResultFormat format;
  private final ResultColumns columns;

  private ResultWriter(ResultFormat format, ResultColumns columns) {
    this.format = format;
    this.columns = columns;
  }

  /** The caller owns the result; {@code costs} are of the same rows. */
  static ResultBatch write(
      List<RowOutcome> outcomes,
      List<RowCost> costs,
      ResultFormat format,
      BufferAllocator allocator) {
    VectorSchemaRoot root = VectorSchemaRoot.create(ResultFields.schema(format), allocator);
    try {
      root.getFieldVectors().forEach(FieldVector::allocateNew);
      int[] inputRows =
          IntStream.range(0, outcomes.size())
              .flatMap(row -> IntStream.generate(() -> row).limit(resultRows(outcomes.get(row))))
              .toArray();
      ResultWriter writer = new ResultWriter(format, new ResultColumns(root, inputRows.length));
      int row = 0;
      for (RowOutcome outcome : outcomes) {
        for (int sample = 0; sample < resultRows(outcome); sample++) {
          writer.write(outcome, sample, row++);
        }
      }
      root.setRowCount(inputRows.length);
      return new ResultBatch(root, inputRows, costs);
    } catch (RuntimeException e) {
      root.close();
      throw e;
    }
  }

  private static int resultRows(RowOutcome outcome) {
    return outcome instanceof RowOutcome.Generated generated ? generated.samples().size() : 1;
  }

  private void write(RowOutcome outcome, int sample, int row) {
    outcome.tokenCount().ifPresent(tokens -> columns.integer(format.tokensColumn(), row, tokens));
    if (isTruncated(outcome)) {
      columns.yes(ResultFields.TRUNCATED, row);
    } else {
      columns.no(ResultFields.TRUNCATED, row);
    }
    if (outcome instanceof RowOutcome.Failed failed) {
      columns.text(ResultFields.STATUS, row, ResultFields.STATUS_FAILED);
      columns.error(row, failed.code().code(), failed.message());
    } else {
      columns.text(ResultFields.STATUS, row, ResultFields.STATUS_OK);
      format.write(outcome, sample, row, columns);
    }
  }

  private static boolean isTruncated(RowOutcome outcome) {
    if (outcome instanceof RowOutcome.Scored scored) {
      return scored.truncated();
    }
    if (outcome instanceof RowOutcome.Embedded embedded) {
      return embedded.truncated();
    }
    if (outcome instanceof RowOutcome.Generated generated) {
      return generated.truncated();
    }
    return outcome instanceof RowOutcome.Labelled labelled && labelled.truncated();
  }
}
