package io.sirocco.spark.exec;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.spark.sql.RowFactory;
import scala.collection.immutable.ArraySeq;
import scala.jdk.javaapi.CollectionConverters;

/** Reads result columns as the objects that Spark's row encoder takes. */
final class ResultValues {
  private ResultValues() {}

  /** The value of the row; null where the vector says so, as Spark's rows have it. */
  static Object at(ValueVector vector, int row) {
    if (vector.isNull(row)) {
      return null;
    }
    if (vector instanceof VarCharVector texts) {
      return new String(texts.get(row), StandardCharsets.UTF_8);
    }
    if (vector instanceof Float8Vector doubles) {
      return doubles.get(row);
    }
    if (vector instanceof Float4Vector floats) {
      return floats.get(row);
    }
    if (vector instanceof IntVector integers) {
      return integers.get(row);
    }
    if (vector instanceof BitVector bits) {
      return bits.get(row) != 0;
    }
    if (vector instanceof MapVector maps) {
      return map(maps, row);
    }
    if (vector instanceof ListVector lists) {
      return list(lists, row);
    }
    return struct((StructVector) vector, row);
  }

  /** In the order of the entries. */
  private static scala.collection.Map<Object, Object> map(MapVector maps, int row) {
    StructVector entries = (StructVector) maps.getDataVector();
    FieldVector keys = entries.getChild(MapVector.KEY_NAME);
    FieldVector values = entries.getChild(MapVector.VALUE_NAME);
    Map<Object, Object> map = new LinkedHashMap<>();
    for (int i = maps.getElementStartIndex(row); i < maps.getElementEndIndex(row); i++) {
      map.put(at(keys, i), at(values, i));
    }
    return CollectionConverters.asScala(map);
  }

  private static scala.collection.Seq<?> list(ListVector lists, int row) {
    if (lists.getDataVector() instanceof Float4Vector floats) {
      return floats(floats, lists.getElementStartIndex(row), lists.getElementEndIndex(row));
    }
    List<Object> list = new ArrayList<>();
    for (int i = lists.getElementStartIndex(row); i < lists.getElementEndIndex(row); i++) {
      list.add(at(lists.getDataVector(), i));
    }
    return CollectionConverters.asScala(list).toSeq();
  }

  /**
   * None of them is null. Embeddings are long: an object for each element would take five times.
   */
  private static ArraySeq.ofFloat floats(Float4Vector elements, int start, int end) {
    float[] values = new float[end - start];
    for (int i = 0; i < values.length; i++) {
      values[i] = elements.get(start + i);
    }
    return new ArraySeq.ofFloat(values);
  }

  private static Object struct(StructVector structs, int row) {
    return RowFactory.create(
        structs.getChildrenFromFields().stream().map(child -> at(child, row)).toArray());
  }
}
