package io.sirocco.spark.exec;

import io.sirocco.arrow.ArrowClassifier;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.util.AutoCloseables;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.types.Types;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.spark.sql.Row;

/** The columns that the model reads, by position in the row; fills the engine's input batches. */
sealed interface InputColumns extends Serializable {

  /** What the row weighs in a batch: its characters, or its tokens times {@link Tokens#WEIGHT}. */
  long weight(Row row);

  /** The caller owns the result. */
  VectorSchemaRoot batch(List<Row> rows, BufferAllocator allocator);

  /** A string column. */
  record Text(int column) implements InputColumns {

    @Override
    public long weight(Row row) {
      return row.isNullAt(column) ? 0 : row.getString(column).length();
    }

    @Override
    public VectorSchemaRoot batch(List<Row> rows, BufferAllocator allocator) {
      return build(rows, List.of(new VarCharVector(ArrowClassifier.TEXT, allocator)), this::fill);
    }

    private void fill(List<Row> rows, List<FieldVector> vectors) {
      VarCharVector texts = (VarCharVector) vectors.get(0);
      for (int i = 0; i < rows.size(); i++) {
        if (!rows.get(i).isNullAt(column)) {
          texts.setSafe(i, rows.get(i).getString(column).getBytes(StandardCharsets.UTF_8));
        }
      }
    }
  }

  /**
   * Integer array columns, the ids first.
   *
   * @param columns one, or two where there is an attention mask
   */
  record Tokens(List<Integer> columns) implements InputColumns {
    /** English text has about four characters to a token. */
    static final long WEIGHT = 4;

    private static final List<String> NAMES =
        List.of(ArrowClassifier.INPUT_IDS, ArrowClassifier.ATTENTION_MASK);

    public Tokens {
      columns = List.copyOf(columns);
    }

    @Override
    public long weight(Row row) {
      long tokens = 0;
      for (int column : columns) {
        tokens = Math.max(tokens, row.isNullAt(column) ? 0 : row.getList(column).size());
      }
      return tokens * WEIGHT;
    }

    @Override
    public VectorSchemaRoot batch(List<Row> rows, BufferAllocator allocator) {
      List<FieldVector> vectors = new ArrayList<>();
      for (int i = 0; i < columns.size(); i++) {
        ListVector lists = ListVector.empty(NAMES.get(i), allocator);
        lists.addOrGetVector(FieldType.nullable(Types.MinorType.BIGINT.getType()));
        vectors.add(lists);
      }
      return build(rows, vectors, this::fill);
    }

    private void fill(List<Row> rows, List<FieldVector> vectors) {
      for (int i = 0; i < vectors.size(); i++) {
        ListVector lists = (ListVector) vectors.get(i);
        for (int row = 0; row < rows.size(); row++) {
          if (!rows.get(row).isNullAt(columns.get(i))) {
            List<Number> values = rows.get(row).getList(columns.get(i));
            fill(lists, row, values);
          }
        }
      }
    }

    private static void fill(ListVector lists, int row, List<Number> values) {
      BigIntVector elements = (BigIntVector) lists.getDataVector();
      int next = lists.startNewValue(row);
      for (Number value : values) {
        if (value == null) {
          elements.setNull(next++);
        } else {
          elements.setSafe(next++, value.longValue());
        }
      }
      lists.endValue(row, values.size());
    }
  }

  /** Fills vectors with the values of rows. */
  interface Filler {
    void fill(List<Row> rows, List<FieldVector> vectors);
  }

  private static VectorSchemaRoot build(List<Row> rows, List<FieldVector> vectors, Filler filler) {
    try {
      vectors.forEach(FieldVector::allocateNew);
      filler.fill(rows, vectors);
      VectorSchemaRoot root = new VectorSchemaRoot(vectors);
      root.setRowCount(rows.size());
      return root;
    } catch (RuntimeException e) {
      AutoCloseables.close(e, vectors);
      throw e;
    }
  }
}
