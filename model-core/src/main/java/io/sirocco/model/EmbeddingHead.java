package io.sirocco.model;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Workspace;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;

/**
 * What makes a MistralModel, or the decoder of any other, embed rows: final norm and pooling, in
 * float32 whatever the precision. It has no weights of its own. Immutable.
 */
public final class EmbeddingHead {
  /** Tokens that are normed at a time: 2 MiB of a model with a hidden_size of 4096. */
  private static final int AT_ONCE = 128;

  private final MistralModel model;
  private final EmbeddingForm form;

  /**
   * @throws IllegalArgumentException if the form has more dimensions than the model's hidden_size
   */
  public EmbeddingHead(MistralModel model, EmbeddingForm form) {
    this.model = model;
    this.form = form;
    int hidden = model.config().hiddenSize();
    if (form.dimensions() > hidden) {
      throw new IllegalArgumentException(form.dimensions() + " dimensions of " + hidden);
    }
  }

  /**
   * The embedding of each row, {@code [rows][dimensions]}.
   *
   * @param rows each with a token that is attended to. With {@link Pooling#LAST} that token, with
   *     {@link Pooling#MEAN} every token is computed, not shared
   * @param residual what {@link Decoder#forwardBehind} returned for these rows
   */
  public float[][] embeddings(List<PrefixedRow> rows, Matrix residual, BufferAllocator allocator) {
    try (Workspace workspace = new Workspace(allocator)) {
      float[][] pooled =
          form.pooling() == Pooling.LAST
              ? lastTokens(rows, residual, workspace)
              : means(rows, residual, workspace);
      for (int row = 0; row < pooled.length; row++) {
        pooled[row] = form.of(pooled[row]);
      }
      return pooled;
    }
  }

  private float[][] lastTokens(List<PrefixedRow> rows, Matrix residual, Workspace workspace) {
    Matrix last = workspace.matrix(ElementType.F32, rows.size(), residual.columns());
    Matrix normed = workspace.matrix(ElementType.F32, rows.size(), residual.columns());
    int firstToken = 0;
    for (int row = 0; row < rows.size(); row++) {
      PrefixedRow prefixed = rows.get(row);
      int position = lastAttended(prefixed.row());
      residual.copyRows(firstToken + position - prefixed.shared(), 1, last, row);
      firstToken += prefixed.computed();
    }
    norm(last, normed);
    float[][] states = new float[rows.size()][residual.columns()];
    for (int row = 0; row < states.length; row++) {
      normed.readRow(row, states[row]);
    }
    return states;
  }

  /** The position of the last token that the mask, if there is one, does not hide. */
  private static int lastAttended(TokenRow row) {
    int position = row.length() - 1;
    while (position >= 0 && !isAttended(row, position)) {
      position--;
    }
    if (position < 0) {
      throw new IllegalArgumentException("a row whose mask hides all " + row.length() + " tokens");
    }
    return position;
  }

  private static boolean isAttended(TokenRow row, int position) {
    return row.attentionMask().isEmpty() || row.attentionMask().get()[position] != 0;
  }

  private float[][] means(List<PrefixedRow> rows, Matrix residual, Workspace workspace) {
    Matrix some = workspace.matrix(ElementType.F32, AT_ONCE, residual.columns());
    Matrix normed = workspace.matrix(ElementType.F32, AT_ONCE, residual.columns());
    Memory memory = new Memory(some, normed);
    float[][] means = new float[rows.size()][];
    int firstToken = 0;
    for (int row = 0; row < means.length; row++) {
      PrefixedRow prefixed = rows.get(row);
      if (prefixed.shared() > 0) {
        throw new IllegalArgumentException(
            prefixed.shared() + " tokens that a mean needs are not computed");
      }
      TokenRow tokens = prefixed.row();
      means[row] = mean(tokens, residual.slice(firstToken, tokens.length()), memory);
      firstToken += tokens.length();
    }
    return means;
  }

  /** For so many tokens as are normed at a time: what kernels read beyond them is this, too. */
  private record Memory(Matrix some, Matrix normed) {}

  /**
   * {@code mean[D]} over the hidden states of one row. The sum is in double and token by token, so
   * that its bits depend on the row alone.
   */
  private float[] mean(TokenRow row, Matrix residual, Memory memory) {
    double[] sum = new double[residual.columns()];
    float[] state = new float[residual.columns()];
    int count = 0;
    for (int from = 0; from < row.length(); from += AT_ONCE) {
      int some = Math.min(AT_ONCE, row.length() - from);
      residual.copyRows(from, some, memory.some(), 0);
      norm(memory.some().first(some), memory.normed().first(some));
      for (int token = 0; token < some; token++) {
        if (isAttended(row, from + token)) {
          memory.normed().readRow(token, state);
          for (int i = 0; i < sum.length; i++) {
            sum[i] += state[i];
          }
          count++;
        }
      }
    }
    if (count == 0) {
      throw new IllegalArgumentException("a row whose mask hides all " + row.length() + " tokens");
    }
    for (int i = 0; i < sum.length; i++) {
      state[i] = (float) (sum[i] / count);
    }
    return state;
  }

  private void norm(Matrix states, Matrix out) {
    model.kernels().rmsNorm(states, model.norm(), model.config().rmsNormEps(), out);
  }
}
