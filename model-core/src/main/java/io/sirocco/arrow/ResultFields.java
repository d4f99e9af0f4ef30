package io.sirocco.arrow;

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
  static final String EMBEDDING = "embedding";
  static final String PREDICTED_LABEL = "predicted_label";
  static final String PREDICTED_SCORE = "predicted_score";
  static final String PREDICTED_LABELS = "predicted_labels";
  static final String PREDICTED_VALUE = "predicted_value";
  static final String PREDICTED_VALUES = "predicted_values";
  static final String PROBABILITIES = "probabilities";
  static final String TOKEN_COUNT = "token_count";
  static final String GENERATED_TEXT = "generated_text";
  static final String FINISH_REASON = "finish_reason";
  static final String PROMPT_TOKENS = "prompt_tokens";
  static final String GENERATED_TOKENS = "generated_tokens";
  static final String TRUNCATED = "truncated";
  static final String STATUS = "status";
  static final String ERROR = "error";
  static final String ERROR_CODE = "code";
  static final String ERROR_MESSAGE = "message";
  static final String LOGITS = "logits";
  static final String GENERATED_TOKEN_IDS = "generated_token_ids";
  static final String TOKEN_LOGPROBS = "token_logprobs";
  static final String CUMULATIVE_LOGPROB = "cumulative_logprob";
  static final String SAMPLE_INDEX = "sample_index";
  static final String LABEL_LOGPROBS = "label_logprobs";
  static final String STATUS_OK = "ok";
  static final String STATUS_FAILED = "failed";

  static final ArrowType UTF8 = ArrowType.Utf8.INSTANCE;
  static final ArrowType INT32 = new ArrowType.Int(Integer.SIZE, true);
  static final ArrowType FLOAT32 = new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE);
  static final ArrowType FLOAT64 = new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE);

  private ResultFields() {}

  /** All columns of a task's results. */
  static Schema schema(ResultFormat format) {
    List<Field> fields = new ArrayList<>(format.leading());
    fields.add(Field.notNullable(TRUNCATED, ArrowType.Bool.INSTANCE));
    fields.add(Field.notNullable(STATUS, UTF8));
    fields.add(
        new Field(
            ERROR,
            FieldType.nullable(ArrowType.Struct.INSTANCE),
            List.of(Field.nullable(ERROR_CODE, UTF8), Field.nullable(ERROR_MESSAGE, UTF8))));
    fields.addAll(format.onRequest());
    return new Schema(fields);
  }

  /** One of several labels. */
  static List<Field> prediction() {
    return List.of(
        Field.nullable(PREDICTED_LABEL, UTF8),
        Field.nullable(PREDICTED_SCORE, FLOAT64),
        map(PROBABILITIES));
  }

  static Field list(String name, ArrowType element) {
    return new Field(
        name,
        FieldType.nullable(ArrowType.List.INSTANCE),
        List.of(Field.notNullable("element", element)));
  }

  static Field map(String name) {
    boolean keysSorted = false;
    Field entries =
        new Field(
            MapVector.DATA_VECTOR_NAME,
            FieldType.notNullable(ArrowType.Struct.INSTANCE),
            List.of(
                Field.notNullable(MapVector.KEY_NAME, UTF8),
                Field.notNullable(MapVector.VALUE_NAME, FLOAT64)));
    return new Field(name, FieldType.nullable(new ArrowType.Map(keysSorted)), List.of(entries));
  }
}
