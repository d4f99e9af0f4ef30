package io.sirocco.tokenizer;

import java.util.Arrays;
import java.util.BitSet;

/**
 * Ids of texts that continue one prompt, as for scoring labels. Cheap for many texts: only what
 * follows the last place that no token can span is encoded again. Safe for any number of threads.
 */
public final class Continuations {
  private final PromptEncoder encoder;
  private final String prompt;
  private final BitSet fromData;
  private final PromptTail tail;

  /** Ids of the tail alone. */
  private final int[] tailIds;

  /** {@code prompt} without lone surrogates. */
  Continuations(PromptEncoder encoder, WordSeams seams, String prompt, BitSet fromData) {
    this.encoder = encoder;
    this.prompt = prompt;
    this.fromData = (BitSet) fromData.clone();
    tail = PromptTail.of(encoder.aliased(prompt, fromData), seams);
    tailIds = encoder.idsOfAliased(tail.encoded());
  }

  /**
   * The ids of {@code text} behind the prompt: what prompt and text together have beyond the
   * prompt's ids. Where the prompt's last ids would change, the ids of the text alone. The text is
   * data: a control token's name in it is plain text, unless the tokenizer is opened with {@link
   * SpecialTokenText#PARSE}.
   *
   * @throws IllegalArgumentException as {@link Tokenizer#encodePrompt}
   * @throws IllegalStateException if the tokenizer is closed
   */
  public int[] ids(String text) {
    String continuation = Surrogates.repaired(text);
    BitSet data = (BitSet) fromData.clone();
    data.set(prompt.length(), prompt.length() + continuation.length());
    String joint = encoder.aliased(prompt + continuation, data).text();
    int[] before = tailIds;
    int[] all;
    if (joint.startsWith(tail.head())) {
      all = encoder.idsOfAliased(tail.encoded(joint));
    } else {
      // An ordinary added token reaches from the prompt into the text, over a control token.
      before = encoder.ids(prompt, fromData);
      all = encoder.idsOfAliased(joint);
    }
    int length = before.length;
    boolean continues = all.length >= length && Arrays.equals(before, 0, length, all, 0, length);
    if (continues) {
      return Arrays.copyOfRange(all, length, all.length);
    }
    BitSet wholly = new BitSet();
    wholly.set(0, continuation.length());
    return encoder.ids(continuation, wholly);
  }
}
