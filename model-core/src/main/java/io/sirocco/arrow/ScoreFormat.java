package io.sirocco.arrow;

import io.sirocco.engine.RowOutcome;
import io.sirocco.model.Scores;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.vector.types.pojo.Field;

/** Log-probabilities of labels as a classifier's answer. */
record ScoreFormat(ScoreOptions options) implements ResultFormat {

  @Override
  public List<Field> leading() {
    List<Field> fields = new ArrayList<>(ResultFields.prediction());
    fields.add(Field.nullable(ResultFields.TOKEN_COUNT, ResultFields.INT32));
    return fields;
  }

  @Override
  public List<Field> onRequest() {
    return options.logprobs() ? List.of(ResultFields.map(ResultFields.LABEL_LOGPROBS)) : List.of();
  }

  @Override
  public String tokensColumn() {
    return ResultFields.TOKEN_COUNT;
  }

  @Override
  public void write(RowOutcome answer, int sample, int row, ResultColumns columns) {
    RowOutcome.Labelled labelled = (RowOutcome.Labelled) answer;
    double[] scores = Scores.softmax(labelled.logprobs());
    int best = Scores.best(scores);
    columns.text(ResultFields.PREDICTED_LABEL, row, labelled.labels().get(best));
    columns.number(ResultFields.PREDICTED_SCORE, row, scores[best]);
    int[] order = LabelOrder.byScore(scores, options.limit().orElse(scores.length));
    columns.map(ResultFields.PROBABILITIES, row, labelled.labels(), scores, order);
    if (options.logprobs()) {
      columns.map(ResultFields.LABEL_LOGPROBS, row, labelled.labels(), labelled.logprobs());
    }
  }
}
