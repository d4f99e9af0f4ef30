package io.sirocco.model;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Weight;
import io.sirocco.kernel.WeightUse;
import io.sirocco.kernel.Workspace;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;

/** The head of MistralForCausalLM: final norm and {@code lm_head} of chosen tokens. Immutable. */
public final class LanguageModelHead {
  private final MistralModel model;
  private final Weight head;

  /** {@code head}: {@code [vocab_size, hidden_size]}. */
  public LanguageModelHead(MistralModel model, Tensor head) {
    this.model = model;
    this.head = model.kernels().weight(head, WeightUse.HEAD);
  }

  /**
   * The next-token logits behind each of the tokens, {@code [tokens][vocab_size]}.
   *
   * @param residual what {@link Decoder#forward} returned
   * @param tokens rows of {@code residual}
   */
  public float[][] logits(Matrix residual, List<Integer> tokens, BufferAllocator allocator) {
    try (Workspace workspace = new Workspace(allocator)) {
      ElementType type = model.kernels().precision().activation();
      Matrix chosen = workspace.matrix(ElementType.F32, tokens.size(), residual.columns());
      Matrix normed = workspace.matrix(type, tokens.size(), residual.columns());
      Matrix logits = workspace.matrix(ElementType.F32, tokens.size(), head.outputs());
      for (int i = 0; i < tokens.size(); i++) {
        residual.copyRows(tokens.get(i), 1, chosen, i);
      }
      model.kernels().rmsNorm(chosen, model.norm(), model.config().rmsNormEps(), normed);
      model.kernels().linear(normed, head, logits);
      float[][] results = new float[tokens.size()][head.outputs()];
      for (int i = 0; i < results.length; i++) {
        logits.readRow(i, results[i]);
      }
      return results;
    }
  }
}
