package io.sirocco.spark.exec;

import java.util.List;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The Spark types of the engine's result columns. */
final class ResultTypes {
  private ResultTypes() {}

  /** One field per column of the schema, its name behind the prefix. */
  static List<StructField> fields(Schema schema, String prefix) {
    return schema.getFields().stream()
        .map(field -> field(prefix + field.getName(), field))
        .toList();
  }

  private static StructField field(String name, Field field) {
    return DataTypes.createStructField(name, type(field), field.isNullable());
  }

  private static DataType type(Field field) {
    return switch (field.getType().getTypeID()) {
      case Utf8 -> DataTypes.StringType;
      case Bool -> DataTypes.BooleanType;
      case Int -> DataTypes.IntegerType;
      case FloatingPoint -> floatingPoint((ArrowType.FloatingPoint) field.getType());
      case List -> {
        Field element = field.getChildren().get(0);
        yield DataTypes.createArrayType(type(element), element.isNullable());
      }
      case Map -> {
        List<Field> entry = field.getChildren().get(0).getChildren();
        yield DataTypes.createMapType(
            type(entry.get(0)), type(entry.get(1)), entry.get(1).isNullable());
      }
      case Struct ->
          new StructType(
              field.getChildren().stream()
                  .map(child -> field(child.getName(), child))
                  .toArray(StructField[]::new));
      default -> throw new IllegalArgumentException("a result column has the type " + field);
    };
  }

  private static DataType floatingPoint(ArrowType.FloatingPoint type) {
    return type.getPrecision() == FloatingPointPrecision.SINGLE
        ? DataTypes.FloatType
        : DataTypes.DoubleType;
  }
}
