package io.sirocco.arrow;

import io.sirocco.engine.RowOutcome;
import io.sirocco.model.Labels;
import io.sirocco.model.Scores;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.vector.types.pojo.Field;

/** Logits as labels, probabilities or values. */
record ClassifyFormat(Labels labels, ClassifyOptions options) implements ResultFormat {

  @Override
  public List<Field> leading() {
    List<Field> fields = new ArrayList<>();
    switch (labels.kind()) {
      case SINGLE_LABEL, ONE_LABEL -> fields.addAll(ResultFields.prediction());
      case MULTI_LABEL -> {
        fields.add(ResultFields.list(ResultFields.PREDICTED_LABELS, ResultFields.UTF8));
        fields.add(ResultFields.map(ResultFields.PROBABILITIES));
      }
      case REGRESSION ->
          fields.add(
              labels.names().size() == 1
                  ? Field.nullable(ResultFields.PREDICTED_VALUE, ResultFields.FLOAT64)
                  : ResultFields.list(ResultFields.PREDICTED_VALUES, ResultFields.FLOAT64));
    }
    fields.add(Field.nullable(ResultFields.TOKEN_COUNT, ResultFields.INT32));
    return fields;
  }

  @Override
  public List<Field> onRequest() {
    return options.logits()
        ? List.of(ResultFields.list(ResultFields.LOGITS, ResultFields.FLOAT32))
        : List.of();
  }

  @Override
  public String tokensColumn() {
    return ResultFields.TOKEN_COUNT;
  }

  @Override
  public void write(RowOutcome answer, int sample, int row, ResultColumns columns) {
    float[] logits = ((RowOutcome.Scored) answer).logits();
    double[] scores = Scores.of(labels.kind(), logits);
    switch (labels.kind()) {
      case SINGLE_LABEL, ONE_LABEL -> {
        int best = Scores.best(scores);
        columns.text(ResultFields.PREDICTED_LABEL, row, labels.names().get(best));
        columns.number(ResultFields.PREDICTED_SCORE, row, scores[best]);
        probabilities(row, scores, columns);
      }
      case MULTI_LABEL -> {
        columns.texts(ResultFields.PREDICTED_LABELS, row, predicted(scores));
        probabilities(row, scores, columns);
      }
      case REGRESSION -> {
        if (scores.length == 1) {
          columns.number(ResultFields.PREDICTED_VALUE, row, scores[0]);
        } else {
          columns.numbers(ResultFields.PREDICTED_VALUES, row, scores);
        }
      }
    }
    if (options.logits()) {
      columns.floats(ResultFields.LOGITS, row, logits);
    }
  }

  private List<String> predicted(double[] scores) {
    return Arrays.stream(LabelOrder.byScore(scores, scores.length))
        .filter(label -> scores[label] >= options.threshold())
        .mapToObj(labels.names()::get)
        .toList();
  }

  private void probabilities(int row, double[] scores, ResultColumns columns) {
    int[] order = LabelOrder.byScore(scores, options.limit().orElse(scores.length));
    columns.map(ResultFields.PROBABILITIES, row, labels.names(), scores, order);
  }
}
