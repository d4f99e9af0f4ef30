package io.sirocco.model;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Weight;
import io.sirocco.kernel.WeightUse;
import io.sirocco.kernel.Workspace;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.arrow.memory.BufferAllocator;

/**
 * The head of MistralForSequenceClassification: final norm and {@code score} of one token per row,
 * in float32 whatever the precision. Immutable.
 */
public final class ClassificationHead {
  private final MistralModel model;
  private final Optional<Weight> score;

  /** {@code score}: {@code [labels, hidden_size]}. */
  public ClassificationHead(MistralModel model, Tensor score) {
    this(model, Optional.of(score));
  }

  /** {@code score}: empty where every row's adapter brings its own. */
  public ClassificationHead(MistralModel model, Optional<Tensor> score) {
    this.model = model;
    this.score = score.map(weight -> model.kernels().weight(weight, WeightUse.SCORE));
  }

  /**
   * The logits of each row, in label-id order.
   *
   * @param residual what {@link Decoder#forward} returned for these rows
   */
  public float[][] logits(List<TokenRow> rows, Matrix residual, BufferAllocator allocator) {
    return logitsBehind(rows.stream().map(PrefixedRow::whole).toList(), residual, allocator);
  }

  /**
   * The logits of each row, in label-id order.
   *
   * @param rows of which no more is shared than comes before {@link #pooledPosition}
   * @param residual what {@link Decoder#forwardBehind} returned for these rows
   */
  public float[][] logitsBehind(
      List<PrefixedRow> rows, Matrix residual, BufferAllocator allocator) {
    try (Workspace workspace = new Workspace(allocator)) {
      Matrix pooled = workspace.matrix(ElementType.F32, rows.size(), residual.columns());
      Matrix normed = workspace.matrix(ElementType.F32, rows.size(), residual.columns());
      int labels = model.config().labels().names().size();
      Matrix logits = workspace.matrix(ElementType.F32, rows.size(), labels);
      int firstToken = 0;
      for (int row = 0; row < rows.size(); row++) {
        PrefixedRow prefixed = rows.get(row);
        int position = pooledPosition(prefixed.row().ids(), model.config().padTokenId());
        residual.copyRows(firstToken + position - prefixed.shared(), 1, pooled, row);
        firstToken += prefixed.computed();
      }
      model.kernels().rmsNorm(pooled, model.norm(), model.config().rmsNormEps(), normed);
      multiply(rows, normed, logits);
      float[][] results = new float[rows.size()][labels];
      for (int row = 0; row < results.length; row++) {
        logits.readRow(row, results[row]);
      }
      return results;
    }
  }

  /** Rows one after the other whose head is the same are multiplied together. */
  private void multiply(List<PrefixedRow> rows, Matrix normed, Matrix logits) {
    int end;
    for (int from = 0; from < rows.size(); from = end) {
      Weight head = head(rows.get(from));
      end = from + 1;
      while (end < rows.size() && head(rows.get(end)) == head) {
        end++;
      }
      // What lands on later rows is overwritten, as they come next.
      model
          .kernels()
          .linear(
              normed.sliceAndBeyond(from, end - from),
              head,
              logits.sliceAndBeyond(from, end - from));
    }
  }

  private Weight head(PrefixedRow row) {
    return row.adapter()
        .flatMap(Adapter::score)
        .or(() -> score)
        .orElseThrow(
            () ->
                new IllegalArgumentException("neither the model nor the row's adapter has a head"));
  }

  /**
   * The position whose hidden state is classified: the last id that is not {@code pad_token_id} of
   * the config, 0 if all are, the last position if the config has none. The attention mask plays no
   * part (transformers since 4.49).
   */
  public static int pooledPosition(int[] ids, OptionalInt padTokenId) {
    int last = ids.length - 1;
    if (padTokenId.isEmpty()) {
      return last;
    }
    while (last > 0 && ids[last] == padTokenId.getAsInt()) {
      last--;
    }
    return last;
  }
}
