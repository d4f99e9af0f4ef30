package io.sirocco.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Answers of an engine to several rows, such that two lists of them can be compared. */
final class Answers {
  private Answers() {}

  /** Submits all before any is waited for. */
  static List<RowAnswer> asked(Engine engine, List<RowRequest> rows) throws InterruptedException {
    List<RowAnswer> asked = new ArrayList<>();
    for (RowRequest row : rows) {
      asked.add(engine.submit(row));
    }
    return asked;
  }

  /** All that the outcomes say, floats by their bits. */
  static List<String> bits(List<RowAnswer> answers) throws Exception {
    List<String> bits = new ArrayList<>();
    for (RowAnswer answer : answers) {
      bits.add(bits(answer.get()));
    }
    return bits;
  }

  /** Of one row; a row that failed has none. */
  static String bits(RowOutcome outcome) {
    if (outcome instanceof RowOutcome.Scored scored) {
      return scored.tokenCount() + " " + scored.truncated() + Arrays.toString(scored.logits());
    }
    if (outcome instanceof RowOutcome.Labelled labelled) {
      return labelled.labels() + Arrays.toString(labelled.logprobs());
    }
    if (outcome instanceof RowOutcome.Embedded embedded) {
      return embedded.tokenCount() + " " + Arrays.toString(embedded.embedding());
    }
    StringBuilder all = new StringBuilder();
    for (Generation sample : ((RowOutcome.Generated) outcome).samples()) {
      all.append(sample.text())
          .append(Arrays.toString(sample.ids()))
          .append(Arrays.toString(sample.logprobs()));
    }
    return all.toString();
  }
}
