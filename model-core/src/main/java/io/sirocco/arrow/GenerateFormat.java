package io.sirocco.arrow;

import io.sirocco.engine.Generation;
import io.sirocco.engine.RowOutcome;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.vector.types.pojo.Field;

/** Texts, why they end, and their tokens. */
record GenerateFormat(GenerateOptions options) implements ResultFormat {

  @Override
  public List<Field> leading() {
    return List.of(
        Field.nullable(ResultFields.GENERATED_TEXT, ResultFields.UTF8),
        Field.nullable(ResultFields.FINISH_REASON, ResultFields.UTF8),
        Field.nullable(ResultFields.PROMPT_TOKENS, ResultFields.INT32),
        Field.nullable(ResultFields.GENERATED_TOKENS, ResultFields.INT32));
  }

  @Override
  public List<Field> onRequest() {
    List<Field> fields = new ArrayList<>();
    if (options.tokenIds()) {
      fields.add(ResultFields.list(ResultFields.GENERATED_TOKEN_IDS, ResultFields.INT32));
    }
    if (options.logprobs()) {
      fields.add(ResultFields.list(ResultFields.TOKEN_LOGPROBS, ResultFields.FLOAT32));
      fields.add(Field.nullable(ResultFields.CUMULATIVE_LOGPROB, ResultFields.FLOAT64));
    }
    if (options.samples() > 1) {
      fields.add(Field.nullable(ResultFields.SAMPLE_INDEX, ResultFields.INT32));
    }
    return fields;
  }

  @Override
  public String tokensColumn() {
    return ResultFields.PROMPT_TOKENS;
  }

  @Override
  public void write(RowOutcome answer, int sample, int row, ResultColumns columns) {
    Generation generation = ((RowOutcome.Generated) answer).samples().get(sample);
    columns.text(ResultFields.GENERATED_TEXT, row, generation.text());
    columns.text(ResultFields.FINISH_REASON, row, generation.reason().toString());
    columns.integer(ResultFields.GENERATED_TOKENS, row, generation.ids().length);
    if (options.tokenIds()) {
      columns.integers(ResultFields.GENERATED_TOKEN_IDS, row, generation.ids());
    }
    if (options.logprobs()) {
      columns.floats(ResultFields.TOKEN_LOGPROBS, row, generation.logprobs());
      columns.number(ResultFields.CUMULATIVE_LOGPROB, row, generation.cumulativeLogprob());
    }
    if (options.samples() > 1) {
      columns.integer(ResultFields.SAMPLE_INDEX, row, sample);
    }
  }
}
