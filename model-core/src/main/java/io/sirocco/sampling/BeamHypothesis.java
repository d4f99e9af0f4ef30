package io.sirocco.sampling;

/**
 * An answer of a beam search.
 *
 * @param ids the new tokens, the end-of-sequence id included where one ended it
 * @param score sum of the processed log-probabilities, divided by the length to the power of the
 *     length penalty: the library's {@code sequences_scores}
 * @param logProbabilities [ids] of each token under the model's own distribution, before processors
 * @param finish why it ended
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, not kept
public record BeamHypothesis(
    int[] ids, float score, float[] logProbabilities, FinishReason finish) {}
