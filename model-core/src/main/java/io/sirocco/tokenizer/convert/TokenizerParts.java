package io.sirocco.tokenizer.convert;

import java.util.List;
import java.util.Optional;

/**
 * What a tokenizer.json is made of.
 *
 * @param tokens texts by id
 * @param added those that are cut out of a text before the model sees it, by id
 * @param merges in order of their rank
 * @param model how the tokens are merged
 * @param steps what happens around that
 * @param beginning id of the token that goes in front of a text
 */
record TokenizerParts(
    List<String> tokens,
    List<Added> added,
    List<Merges.Merge> merges,
    Model model,
    Steps steps,
    int beginning) {

  /** A token that is written in texts; {@code special}: it controls the model. */
  record Added(int id, boolean special) {}

  /**
   * Settings of the byte-pair encoding.
   *
   * @param unknown the token of what has no other
   * @param bytesForUnknown whether characters without a token become tokens of bytes
   * @param ignoreMerges whether a whole word with a token is not merged together
   */
  record Model(Optional<String> unknown, boolean bytesForUnknown, boolean ignoreMerges) {}

  /** The steps in front of and behind the byte-pair encoding, as JSON. */
  record Steps(String normalizer, String preTokenizer, String decoder) {}
}
