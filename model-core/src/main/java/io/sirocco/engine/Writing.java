package io.sirocco.engine;

import io.sirocco.sampling.FinishReason;
import io.sirocco.sampling.GenerationSettings;
import io.sirocco.sampling.SamplingWorkspace;
import io.sirocco.sampling.StopStrings;
import io.sirocco.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
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
    String whole = tokenizer.decodeSkippingSpecial(ids);
    if (reason != FinishReason.STOP_STRING) {
      return whole;
    }
    StopStrings.Cursor cursor = stops.after(prompt);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int tokensBefore = 0;
    int bytesBefore = 0;
    for (int id : ids) {
      cursor = cursor.next(id);
    }
    int end = Math.toIntExact(Math.max(0, cursor.matchStart()));
    for (int i = 0; i < ids.length && bytes.size() < end; i++) {
      bytesBefore = bytes.size();
      tokensBefore = i;
      bytes.writeBytes(tokenizer.tokenBytes(ids[i]));
    }
    if (end == 0) {
      return "";
    }
    // The last token counts up to the match; those before it are decoded as they always are.
    byte[] all = bytes.toByteArray();
    byte[] last = Arrays.copyOfRange(all, bytesBefore, Math.min(end, all.length));
    String head = tokenizer.decodeSkippingSpecial(Arrays.copyOf(ids, tokensBefore));
    String tail = new String(last, StandardCharsets.UTF_8);
    boolean losesSpace = tokensBefore == 0 && !whole.startsWith(" ") && tail.startsWith(" ");
    return head + (losesSpace ? tail.substring(1) : tail);
  }
}
