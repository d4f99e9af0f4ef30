package io.sirocco.arrow;

import io.sirocco.engine.RowOutcome;
import io.sirocco.model.Labels;
import io.sirocco.model.Scores;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;

/** Turns outcomes into one result batch. */
final class ResultWriter {
  private final VectorSchemaRoot root;
  private final Labels labels;
  private final ClassifyOptions options;

  private ResultWriter(VectorSchemaRoot root, Labels labels, ClassifyOptions options) {
    this.root = root;
    this.labels = labels;
    this.options = options;
  }

  /** The caller owns the result. */
  static VectorSchemaRoot write(
      List<RowOutcome> outcomes,
      Labels labels,
      ClassifyOptions options,
      BufferAllocator allocator) {
    VectorSchemaRoot root =
        VectorSchemaRoot.create(ResultFields.schema(labels, options), allocator);
    try {
      root.getFieldVectors().forEach(FieldVector::allocateNew);
      ResultWriter writer = new ResultWriter(root, labels, options);
      for (int row = 0; row < outcomes.size(); row++) {
        writer.common(row, outcomes.get(row));
      }
      root.setRowCount(outcomes.size());
      return root;
    } catch (RuntimeException e) {
      root.close();
      throw e;
    }
  }

  private void common(int row, RowOutcome outcome) {
    outcome
        .tokenCount()
        .ifPresent(
            tokens -> vector(ResultFields.TOKEN_COUNT, IntVector.class).setSafe(row, tokens));
    boolean truncated = false;
    if (outcome instanceof RowOutcome.Scored scored) {
      truncated = scored.truncated();
      put(ResultFields.STATUS, row, ResultFields.STATUS_OK);
      scored(row, scored.logits());
    } else {
      RowOutcome.Failed failed = (RowOutcome.Failed) outcome;
      put(ResultFields.STATUS, row, ResultFields.STATUS_FAILED);
      StructVector error = vector(ResultFields.ERROR, StructVector.class);
      error.setIndexDefined(row);
      put(error.getChild(ResultFields.ERROR_CODE, VarCharVector.class), row, failed.code().code());
      put(error.getChild(ResultFields.ERROR_MESSAGE, VarCharVector.class), row, failed.message());
    }
    vector(ResultFields.TRUNCATED, BitVector.class).setSafe(row, truncated ? 1 : 0);
  }

  private void scored(int row, float[] logits) {
    double[] scores = Scores.of(labels.kind(), logits);
    switch (labels.kind()) {
      case SINGLE_LABEL, ONE_LABEL -> {
        int best = Scores.best(scores);
        put(ResultFields.PREDICTED_LABEL, row, labels.names().get(best));
        vector(ResultFields.PREDICTED_SCORE, Float8Vector.class).setSafe(row, scores[best]);
        probabilities(row, scores);
      }
      case MULTI_LABEL -> {
        predictedLabels(row, scores);
        probabilities(row, scores);
      }
      case REGRESSION -> values(row, scores);
    }
    if (options.logits()) {
      ListVector list = vector(ResultFields.LOGITS, ListVector.class);
      Float4Vector elements = (Float4Vector) list.getDataVector();
      int start = list.startNewValue(row);
      for (int label = 0; label < logits.length; label++) {
        elements.setSafe(start + label, logits[label]);
      }
      list.endValue(row, logits.length);
    }
  }

  private void values(int row, double[] values) {
    if (values.length == 1) {
      vector(ResultFields.PREDICTED_VALUE, Float8Vector.class).setSafe(row, values[0]);
      return;
    }
    ListVector list = vector(ResultFields.PREDICTED_VALUES, ListVector.class);
    Float8Vector elements = (Float8Vector) list.getDataVector();
    int start = list.startNewValue(row);
    for (int label = 0; label < values.length; label++) {
      elements.setSafe(start + label, values[label]);
    }
    list.endValue(row, values.length);
  }

  private void predictedLabels(int row, double[] scores) {
    ListVector list = vector(ResultFields.PREDICTED_LABELS, ListVector.class);
    VarCharVector elements = (VarCharVector) list.getDataVector();
    int start = list.startNewValue(row);
    int count = 0;
    for (int label : byScore(scores, scores.length)) {
      if (scores[label] >= options.threshold()) {
        put(elements, start + count++, labels.names().get(label));
      }
    }
    list.endValue(row, count);
  }

  private void probabilities(int row, double[] scores) {
    MapVector map = vector(ResultFields.PROBABILITIES, MapVector.class);
    StructVector entries = (StructVector) map.getDataVector();
    VarCharVector keys = entries.getChild(MapVector.KEY_NAME, VarCharVector.class);
    Float8Vector values = entries.getChild(MapVector.VALUE_NAME, Float8Vector.class);
    int start = map.startNewValue(row);
    int count = 0;
    for (int label : byScore(scores, options.limit().orElse(scores.length))) {
      entries.setIndexDefined(start + count);
      put(keys, start + count, labels.names().get(label));
      values.setSafe(start + count, scores[label]);
      count++;
    }
    map.endValue(row, count);
  }

  /** The first {@code limit} labels by falling score, equal ones by id. */
  private static int[] byScore(double[] scores, int limit) {
    return IntStream.range(0, scores.length)
        .boxed()
        .sorted(Comparator.comparing((Integer label) -> -scores[label]))
        .limit(limit)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private void put(String column, int row, String value) {
    put(vector(column, VarCharVector.class), row, value);
  }

  private static void put(VarCharVector vector, int row, String value) {
    vector.setSafe(row, value.getBytes(StandardCharsets.UTF_8));
  }

  private <T extends FieldVector> T vector(String column, Class<T> type) {
    return type.cast(root.getVector(column));
  }
}
