package io.sirocco.spark.exec;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.types.Types;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.spark.sql.Row;

/** One column that the engine is given: where it is in a row, and how an Arrow vector takes it. */
sealed interface InputColumn extends Serializable {

  /** What the value weighs in a batch, in characters of text or their like. */
  long weight(Row row);

  /** An empty vector with the engine's name for the column; the caller owns it. */
  FieldVector vector(BufferAllocator allocator);

  /** Sets the cell {@code at}; leaves it alone where the value is null. */
  void fill(FieldVector vector, int at, Row row);

  /**
   * A string column.
   *
   * @param name the engine's name for it
   * @param position in the row
   */
  record Text(String name, int position) implements InputColumn {

    @Override
    public long weight(Row row) {
      return row.isNullAt(position) ? 0 : row.getString(position).length();
    }

    @Override
    public FieldVector vector(BufferAllocator allocator) {
      return new VarCharVector(name, allocator);
    }

    @Override
    public void fill(FieldVector vector, int at, Row row) {
      if (!row.isNullAt(position)) {
        ((VarCharVector) vector)
            .setSafe(at, row.getString(position).getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  /** A column of integer arrays. */
  record Integers(String name, int position) implements InputColumn {
    /** English text has about four characters to a token. */
    static final long WEIGHT = 4;

    @Override
    public long weight(Row row) {
      return row.isNullAt(position) ? 0 : row.getList(position).size() * WEIGHT;
    }

    @Override
    public FieldVector vector(BufferAllocator allocator) {
      return list(name, Types.MinorType.BIGINT, allocator);
    }

    @Override
    public void fill(FieldVector vector, int at, Row row) {
      if (row.isNullAt(position)) {
        return;
      }
      ListVector lists = (ListVector) vector;
      BigIntVector elements = (BigIntVector) lists.getDataVector();
      List<Number> values = row.getList(position);
      int next = lists.startNewValue(at);
      for (Number value : values) {
        if (value == null) {
          elements.setNull(next++);
        } else {
          elements.setSafe(next++, value.longValue());
        }
      }
      lists.endValue(at, values.size());
    }
  }

  /** A column of string arrays. */
  record Texts(String name, int position) implements InputColumn {

    @Override
    public long weight(Row row) {
      return row.isNullAt(position)
          ? 0
          : row.<String>getList(position).stream()
              .mapToLong(text -> text == null ? 0 : text.length())
              .sum();
    }

    @Override
    public FieldVector vector(BufferAllocator allocator) {
      return list(name, Types.MinorType.VARCHAR, allocator);
    }

    @Override
    public void fill(FieldVector vector, int at, Row row) {
      if (row.isNullAt(position)) {
        return;
      }
      ListVector lists = (ListVector) vector;
      VarCharVector elements = (VarCharVector) lists.getDataVector();
      List<String> values = row.getList(position);
      int next = lists.startNewValue(at);
      for (String value : values) {
        if (value == null) {
          elements.setNull(next++);
        } else {
          elements.setSafe(next++, value.getBytes(StandardCharsets.UTF_8));
        }
      }
      lists.endValue(at, values.size());
    }
  }

  private static ListVector list(String name, Types.MinorType element, BufferAllocator allocator) {
    ListVector lists = ListVector.empty(name, allocator);
    lists.addOrGetVector(FieldType.nullable(element.getType()));
    return lists;
  }
}
