package io.sirocco.arrow;

/**
 * How texts become the result columns of {@link io.sirocco.engine.Task.Generate}.
 *
 * @param samples texts of each row; more than one add the column {@code sample_index}
 * @param tokenIds whether to add the column {@code generated_token_ids}
 * @param logprobs whether to add the columns {@code token_logprobs} and {@code cumulative_logprob}
 */
public record GenerateOptions(int samples, boolean tokenIds, boolean logprobs)
    implements ResultOptions {

  public GenerateOptions {
    if (samples < 1) {
      throw new IllegalArgumentException("samples " + samples);
    }
  }
}
