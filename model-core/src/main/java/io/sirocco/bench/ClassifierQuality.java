package io.sirocco.bench;

import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.RowInput;
import io.sirocco.engine.RowOutcome;
import io.sirocco.engine.RowRequest;
import io.sirocco.model.Labels;
import io.sirocco.model.Scores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;

/** A classifier's answers to a sample, by precision. */
public final class ClassifierQuality {
  private static final double THRESHOLD = 0.5;

  private final EngineOptions options;
  private final List<Row> sample;
  private final Answers reference;

  /**
   * A row of the sample.
   *
   * @param label that it should get; empty where nobody knows
   */
  public record Row(String text, Optional<String> label) {}

  /** A row's scores; empty where the engine has refused the row. */
  private record Answer(Optional<double[]> scores, int tokens) {}

  private record Answers(Labels labels, List<Answer> rows) {}

  /** Computes the sample in float32, with the other options as they are. */
  public ClassifierQuality(EngineOptions options, List<Row> sample) throws Exception {
    this.options = options;
    this.sample = List.copyOf(sample);
    this.reference = answers(PrecisionChoice.FLOAT32);
  }

  /** float32 itself. */
  public QualityResult reference() {
    return compared("float32", reference);
  }

  /** Computes the sample in that precision. */
  public QualityResult of(PrecisionChoice precision, String name) throws Exception {
    return compared(name, answers(precision));
  }

  private Answers answers(PrecisionChoice precision) throws Exception {
    try (Engine engine = Engine.open(options.withPrecision(precision))) {
      Labels labels = engine.plan().labels().orElseThrow();
      List<Future<RowOutcome>> outcomes = new ArrayList<>();
      for (Row row : sample) {
        outcomes.add(engine.submit(RowRequest.of(new RowInput.Text(row.text()))));
      }
      List<Answer> answers = new ArrayList<>();
      for (Future<RowOutcome> outcome : outcomes) {
        answers.add(answer(labels, outcome.get()));
      }
      return new Answers(labels, answers);
    }
  }

  private static Answer answer(Labels labels, RowOutcome outcome) {
    return outcome instanceof RowOutcome.Scored scored
        ? new Answer(
            Optional.of(Scores.of(labels.kind(), scored.logits())), scored.tokenCount().orElse(0))
        : new Answer(Optional.empty(), 0);
  }

  private QualityResult compared(String precision, Answers found) {
    Labels labels = reference.labels();
    long rows = 0;
    long tokens = 0;
    long agreeing = 0;
    long right = 0;
    long judged = 0;
    long values = 0;
    double changes = 0;
    double largest = 0;
    for (int row = 0; row < sample.size(); row++) {
      Optional<double[]> expected = reference.rows().get(row).scores();
      Optional<double[]> scores = found.rows().get(row).scores();
      if (expected.isEmpty() || scores.isEmpty()) {
        continue;
      }
      rows++;
      tokens += found.rows().get(row).tokens();
      agreeing += names(labels, expected.get()).equals(names(labels, scores.get())) ? 1 : 0;
      if (sample.get(row).label().isPresent()) {
        judged++;
        String label = sample.get(row).label().get();
        right += names(labels, scores.get()).equals(List.of(label)) ? 1 : 0;
      }
      for (int label = 0; label < scores.get().length; label++) {
        double change = Math.abs(scores.get()[label] - expected.get()[label]);
        values++;
        changes += change;
        largest = Math.max(largest, change);
      }
    }
    if (rows == 0) {
      throw new IllegalArgumentException("no row of the sample has an answer");
    }
    QualityResult.Labels result =
        new QualityResult.Labels(
            (double) agreeing / rows,
            changes / values,
            largest,
            judged == 0 ? Optional.empty() : Optional.of((double) right / judged));
    return new QualityResult(precision, rows, tokens, Optional.of(result), Optional.empty());
  }

  /** The predicted labels: the best one, or all above one half. */
  private static List<String> names(Labels labels, double[] scores) {
    if (labels.kind() == Labels.Kind.SINGLE_LABEL) {
      return List.of(labels.names().get(Scores.best(scores)));
    }
    List<String> names = new ArrayList<>();
    for (int label = 0; label < scores.length; label++) {
      if (scores[label] >= THRESHOLD) {
        names.add(labels.names().get(label));
      }
    }
    return names;
  }
}
