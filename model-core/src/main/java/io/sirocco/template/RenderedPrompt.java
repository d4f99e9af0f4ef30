package io.sirocco.template;

import java.util.BitSet;
import java.util.Objects;

/**
 * A prompt, to be encoded without adding special tokens: the template wrote those it wants.
 *
 * @param text the prompt
 * @param fromData bit i is set where UTF-16 unit i of {@code text} comes from the request, or was
 *     computed from it; clear where it is a literal of the template or a special token's text. Only
 *     text that is clear throughout may be read as a control token.
 */
public record RenderedPrompt(String text, BitSet fromData) {
  public RenderedPrompt {
    Objects.requireNonNull(text, "text");
    fromData = (BitSet) fromData.clone();
    if (fromData.length() > text.length()) {
      throw new IllegalArgumentException(
          "marks up to unit " + fromData.length() + ", the text has " + text.length());
    }
  }

  @Override
  public BitSet fromData() {
    return (BitSet) fromData.clone();
  }
}
