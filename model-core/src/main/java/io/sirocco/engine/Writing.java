package io.sirocco.engine;

import io.sirocco.sampling.FinishReason;
import io.sirocco.sampling.GenerationSettings;
import io.sirocco.sampling.SamplingWorkspace;
import io.sirocco.sampling.StopStrings;
import io.sirocco.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What all rows that are written have in common.
 *
 * @param logprobs whether the tokens' log-probabilities are asked for
 */
record Writing(
    GenerationSettings settings,
    Tokenizer tokenizer,
    StopStrings stops,
    SamplingWorkspace workspace,
    boolean logprobs) {

  static Writing of(GenerationSettings settings, Tokenizer tokenizer, boolean logprobs) {
    StopStrings stops =
        settings.stopStrings().isEmpty()
            ? StopStrings.none()
            : StopStrings.of(settings.stopStrings(), tokenizer::tokenBytes);
    return new Writing(settings, tokenizer, stops, new SamplingWorkspace(), logprobs);
  }

  /** The text of a row's new tokens; without the stop string, where one ended it. */
  String text(int[] prompt, int[] ids, FinishReason reason) {
    if (reason != FinishReason.STOP_STRING) {
      return tokenizer.decodeSkippingSpecial(ids);
    }
    StopStrings.Cursor cursor = stops.after(prompt);
    for (int id : ids) {
      cursor = cursor.next(id);
    }
    return upTo(cursor.matchStart(), ids);
  }

  /**
   * The text of so many of the tokens' bytes. A character may take several tokens, so all tokens
   * that reach before {@code end} are decoded together, and what the last says behind it cut off.
   */
  private String upTo(long end, int[] ids) {
    int count = 0;
    long bytes = 0;
    byte[] last = {};
    while (count < ids.length && bytes < end) {
      last = tokenizer.tokenBytes(ids[count++]);
      bytes += last.length;
    }
    String text = tokenizer.decodeSkippingSpecial(Arrays.copyOf(ids, count));
    int behind = Math.toIntExact(bytes - Math.max(0, end));
    if (count == 0 || behind <= 0 || tokenizer.isSpecial(ids[count - 1])) {
      return text;
    }
    int kept = last.length - behind;
    String cut = new String(last, kept, behind, StandardCharsets.UTF_8);
    return text.endsWith(cut) ? text.substring(0, text.length() - cut.length()) : text;
  }
}
