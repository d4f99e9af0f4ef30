package io.sirocco.engine;

import io.sirocco.sampling.FinishReason;

/**
 * One text written behind a prompt.
 *
 * @param text without special tokens, without the stop string and what follows it
 * @param reason why it ends
 * @param ids all new tokens, the one that ended it included
 * @param logprobs of each of them under the model's own distribution, before any processor; empty
 *     unless asked for
 * @param cumulativeLogprob their sum, 0 without them; for beams, the beam's score
 */
@SuppressWarnings("ArrayRecordComponent") // a result, never compared
public record Generation(
    String text, FinishReason reason, int[] ids, float[] logprobs, double cumulativeLogprob) {}
