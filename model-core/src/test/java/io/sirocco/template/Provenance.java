package io.sirocco.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;

/** A prompt taken apart by who wrote it. */
final class Provenance {
  private Provenance() {}

  /** What the template and the special tokens wrote. */
  static String ofTemplate(RenderedPrompt prompt) {
    BitSet own = prompt.fromData();
    own.flip(0, prompt.text().length());
    return filtered(prompt.text(), own);
  }

  /** What came from the request. */
  static String ofRequest(RenderedPrompt prompt) {
    return filtered(prompt.text(), prompt.fromData());
  }

  /** Asserts that {@code piece} is the request's wherever it stands; the number of places. */
  static int assertMarked(RenderedPrompt prompt, String piece) {
    BitSet fromData = prompt.fromData();
    int found = 0;
    int at = prompt.text().indexOf(piece);
    while (at >= 0) {
      assertThat(fromData.nextClearBit(at)).isGreaterThanOrEqualTo(at + piece.length());
      found++;
      at = prompt.text().indexOf(piece, at + 1);
    }
    return found;
  }

  private static String filtered(String text, BitSet kept) {
    StringBuilder out = new StringBuilder();
    kept.stream().forEach(i -> out.append(text.charAt(i)));
    return out.toString();
  }
}
