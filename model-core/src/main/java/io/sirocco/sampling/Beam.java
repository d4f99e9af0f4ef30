package io.sirocco.sampling;

import java.util.Arrays;

/** A beam's ids (prompt included), the log-probabilities of its new ones, its place in the text. */
@SuppressWarnings("ArrayRecordComponent") // never changed once made
record Beam(int[] ids, float[] logProbabilities, StopStrings.Cursor cursor) {

  Beam extended(int token, float logProbability, StopStrings.Cursor behind) {
    int[] longer = Arrays.copyOf(ids, ids.length + 1);
    longer[ids.length] = token;
    float[] more = Arrays.copyOf(logProbabilities, logProbabilities.length + 1);
    more[logProbabilities.length] = logProbability;
    return new Beam(longer, more, behind);
  }

  int[] newIds() {
    return Arrays.copyOfRange(ids, ids.length - logProbabilities.length, ids.length);
  }
}
