package io.sirocco.sampling;

import java.util.Optional;

/**
 * A beam with one more token.
 *
 * @param parent the running beam it extends
 * @param from that beam's tokens
 * @param behind its place in the text with the token
 * @param score sum of the processed log-probabilities
 * @param logProbability of the token, before processors
 * @param finish why it ends, if it does
 */
record BeamCandidate(
    int parent,
    Beam from,
    int token,
    StopStrings.Cursor behind,
    float score,
    float logProbability,
    Optional<FinishReason> finish) {

  Beam beam() {
    return from.extended(token, logProbability, behind);
  }
}
