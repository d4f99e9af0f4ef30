package io.sirocco.arrow;

import io.sirocco.engine.RowOutcome;
import java.util.List;
import org.apache.arrow.vector.types.pojo.Field;

/** Embeddings as lists of floats. */
record EmbedFormat() implements ResultFormat {

  @Override
  public List<Field> leading() {
    return List.of(
        ResultFields.list(ResultFields.EMBEDDING, ResultFields.FLOAT32),
        Field.nullable(ResultFields.TOKEN_COUNT, ResultFields.INT32));
  }

  @Override
  public List<Field> onRequest() {
    return List.of();
  }

  @Override
  public String tokensColumn() {
    return ResultFields.TOKEN_COUNT;
  }

  @Override
  public void write(RowOutcome answer, int sample, int row, ResultColumns columns) {
    columns.floatsOfOneLength(
        ResultFields.EMBEDDING, row, ((RowOutcome.Embedded) answer).embedding());
  }
}
