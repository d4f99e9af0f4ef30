package io.sirocco.arrow;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;

/** Sets the cells of a result batch by column and row, from the first row to the last. */
final class ResultColumns {
  private final VectorSchemaRoot root;
  private final int rows;

  /** {@code rows}: as many as will be set at most. */
  ResultColumns(VectorSchemaRoot root, int rows) {
    this.root = root;
    this.rows = rows;
  }

  void text(String column, int row, String value) {
    put(vector(column, VarCharVector.class), row, value);
  }

  void integer(String column, int row, int value) {
    vector(column, IntVector.class).setSafe(row, value);
  }

  void number(String column, int row, double value) {
    vector(column, Float8Vector.class).setSafe(row, value);
  }

  void yes(String column, int row) {
    vector(column, BitVector.class).setSafe(row, 1);
  }

  void no(String column, int row) {
    vector(column, BitVector.class).setSafe(row, 0);
  }

  void error(int row, String code, String message) {
    StructVector error = vector(ResultFields.ERROR, StructVector.class);
    error.setIndexDefined(row);
    put(error.getChild(ResultFields.ERROR_CODE, VarCharVector.class), row, code);
    put(error.getChild(ResultFields.ERROR_MESSAGE, VarCharVector.class), row, message);
  }

  void texts(String column, int row, List<String> values) {
    ListVector list = vector(column, ListVector.class);
    VarCharVector elements = (VarCharVector) list.getDataVector();
    int start = list.startNewValue(row);
    for (int i = 0; i < values.size(); i++) {
      put(elements, start + i, values.get(i));
    }
    list.endValue(row, values.size());
  }

  void integers(String column, int row, int[] values) {
    ListVector list = vector(column, ListVector.class);
    IntVector elements = (IntVector) list.getDataVector();
    int start = list.startNewValue(row);
    for (int i = 0; i < values.length; i++) {
      elements.setSafe(start + i, values[i]);
    }
    list.endValue(row, values.length);
  }

  void floats(String column, int row, float[] values) {
    ListVector list = vector(column, ListVector.class);
    Float4Vector elements = (Float4Vector) list.getDataVector();
    int start = list.startNewValue(row);
    for (int i = 0; i < values.length; i++) {
      elements.setSafe(start + i, values[i]);
    }
    list.endValue(row, values.length);
  }

  /**
   * As {@link #floats}, where all rows have the same number of them: room for all is made with the
   * first, as growing by doubling would copy what is large.
   */
  void floatsOfOneLength(String column, int row, float[] values) {
    ListVector list = vector(column, ListVector.class);
    long all = (long) rows * values.length;
    boolean first = list.getLastSet() < 0;
    if (first && all <= Integer.MAX_VALUE / Float.BYTES) {
      ((Float4Vector) list.getDataVector()).allocateNew((int) all);
    }
    floats(column, row, values);
  }

  void numbers(String column, int row, double[] values) {
    ListVector list = vector(column, ListVector.class);
    Float8Vector elements = (Float8Vector) list.getDataVector();
    int start = list.startNewValue(row);
    for (int i = 0; i < values.length; i++) {
      elements.setSafe(start + i, values[i]);
    }
    list.endValue(row, values.length);
  }

  /** A value for each label, in this order. */
  void map(String column, int row, List<String> labels, double[] values) {
    map(column, row, labels, values, IntStream.range(0, values.length).toArray());
  }

  /** A value for each label that {@code order} names by its number, in that order. */
  void map(String column, int row, List<String> labels, double[] values, int[] order) {
    MapVector map = vector(column, MapVector.class);
    StructVector entries = (StructVector) map.getDataVector();
    VarCharVector keys = entries.getChild(MapVector.KEY_NAME, VarCharVector.class);
    Float8Vector mapped = entries.getChild(MapVector.VALUE_NAME, Float8Vector.class);
    int start = map.startNewValue(row);
    for (int i = 0; i < order.length; i++) {
      entries.setIndexDefined(start + i);
      put(keys, start + i, labels.get(order[i]));
      mapped.setSafe(start + i, values[order[i]]);
    }
    map.endValue(row, order.length);
  }

  private static void put(VarCharVector vector, int row, String value) {
    vector.setSafe(row, value.getBytes(StandardCharsets.UTF_8));
  }

  private <T extends FieldVector> T vector(String column, Class<T> type) {
    return type.cast(root.getVector(column));
  }
}
