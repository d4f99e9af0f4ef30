package io.sirocco.arrow;

import io.sirocco.model.Labels;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** Names and types of the result columns. */
final class ResultFields {
  static final String PREDICTED_LABEL = "predicted_label";
  static final String PREDICTED_SCORE = "predicted_score";
  static final String PREDICTED_LABELS = "predicted_labels";
  static final String PREDICTED_VALUE = "predicted_value";
  static final String PREDICTED_VALUES = "predicted_values";
  static final String PROBABILITIES = "probabilities";
  static final String TOKEN_COUNT = "token_count";
  static final String TRUNCATED = "truncated";
  static final String STATUS = "status";
  static final String ERROR = "error";
  static final String ERROR_CODE = "code";
  static final String ERROR_MESSAGE = "message";
  static final String LOGITS = "logits";
  static final String STATUS_OK = "ok";
  static final String STATUS_FAILED = "failed";

  private static final ArrowType UTF8 = ArrowType.Utf8.INSTANCE;
  private static final ArrowType FLOAT32 =
      new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE);
  private static final ArrowType FLOAT64 =
      new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE);

  private ResultFields() {}

  static Schema schema(Labels labels, ClassifyOptions options) {
    List<Field> fields = new ArrayList<>();
    switch (labels.kind()) {
      case SINGLE_LABEL, ONE_LABEL -> {
        fields.add(nullable(PREDICTED_LABEL, UTF8));
        fields.add(nullable(PREDICTED_SCORE, FLOAT64));
        fields.add(map(PROBABILITIES));
      }
      case MULTI_LABEL -> {
        fields.add(list(PREDICTED_LABELS, UTF8));
        fields.add(map(PROBABILITIES));
      }
      case REGRESSION ->
          fields.add(
              labels.names().size() == 1
                  ? nullable(PREDICTED_VALUE, FLOAT64)
                  : list(PREDICTED_VALUES, FLOAT64));
    }
    fields.add(nullable(TOKEN_COUNT, new ArrowType.Int(Integer.SIZE, true)));
    fields.add(required(TRUNCATED, ArrowType.Bool.INSTANCE));
    fields.add(required(STATUS, UTF8));
    fields.add(
        new Field(
            ERROR,
            FieldType.nullable(ArrowType.Struct.INSTANCE),
            List.of(nullable(ERROR_CODE, UTF8), nullable(ERROR_MESSAGE, UTF8))));
    if (options.logits()) {
      fields.add(list(LOGITS, FLOAT32));
    }
    return new Schema(fields);
  }

  private static Field nullable(String name, ArrowType type) {
    return Field.nullable(name, type);
  }

  private static Field required(String name, ArrowType type) {
    return Field.notNullable(name, type);
  }

  private static Field list(String name, ArrowType element) {
    return new Field(
        name, FieldType.nullable(ArrowType.List.INSTANCE), List.of(required("element", element)));
  }

  private static Field map(String name) {
    boolean keysSorted = false;
    Field entries =
        new Field(
            MapVector.DATA_VECTOR_NAME,
            FieldType.notNullable(ArrowType.Struct.INSTANCE),
            List.of(required(MapVector.KEY_NAME, UTF8), required(MapVector.VALUE_NAME, FLOAT64)));
    return new Field(name, FieldType.nullable(new ArrowType.Map(keysSorted)), List.of(entries));
  }
}
