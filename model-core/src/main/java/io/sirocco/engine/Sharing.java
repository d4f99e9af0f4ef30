package io.sirocco.engine;

import io.sirocco.model.ClassificationHead;
import io.sirocco.model.SharedPrefix;
import io.sirocco.model.TokenRow;
import java.util.OptionalInt;

/**
 * How many tokens of a row need not be computed, because they are those of the shared prefix. Safe
 * for any number of threads.
 *
 * @param padTokenId of the config, which decides on the token that is classified
 */
record Sharing(PrefixChoice choice, Task task, OptionalInt padTokenId) {

  /** {@code promptTokens}: those before the labels' tree, or all. */
  int of(TokenRow row, int promptTokens) {
    if (task instanceof Task.Generate) {
      int[] ids = GeneratingRow.visible(row);
      SharedPrefix prefix = choice.after(ids);
      int shared = prefix.sharedBy(ids, ids.length);
      // No chunk of a prompt shall have one token only, which is computed in another way.
      boolean oneLeft = shared % GeneratingRow.CHUNK == GeneratingRow.CHUNK - 1;
      return oneLeft ? SharedPrefix.fewer(shared) : shared;
    }
    if (row.attentionMask().isPresent()) {
      return 0;
    }
    SharedPrefix prefix = choice.after(row.ids());
    int wanted =
        task instanceof Task.Classify
            ? ClassificationHead.pooledPosition(row.ids(), padTokenId)
            : promptTokens - 1;
    return prefix.sharedBy(row.ids(), wanted);
  }
}
