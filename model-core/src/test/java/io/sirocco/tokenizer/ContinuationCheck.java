package io.sirocco.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/** Continuations of random prompts against the whole texts, encoded anew each time. */
final class ContinuationCheck {
  private ContinuationCheck() {}

  /** Both ways must have come up: the joint ids' rest, and the continuation alone. */
  static void check(Random random, Tokenizer tokenizer, List<JsonNode> tokens, int prompts) {
    int joined = 0;
    int alone = 0;
    for (int i = 0; i < prompts; i++) {
      RandomPrompt prompt = RandomPrompt.draw(random, tokens);
      Continuations continuations = tokenizer.continuations(prompt.text(), prompt.fromData());
      int[] before = tokenizer.encodePrompt(prompt.text(), prompt.fromData());
      for (int j = 0; j < 5; j++) {
        String text = RandomPrompt.draw(random, tokens).text();
        BitSet data = (BitSet) prompt.fromData().clone();
        data.set(prompt.text().length(), prompt.text().length() + text.length());
        int[] joint = tokenizer.encodePrompt(prompt.text() + text, data);
        boolean continues =
            joint.length >= before.length
                && Arrays.equals(before, Arrays.copyOf(joint, before.length));
        BitSet all = new BitSet();
        all.set(0, text.length());
        int[] expected =
            continues
                ? Arrays.copyOfRange(joint, before.length, joint.length)
                : tokenizer.encodePrompt(text, all);
        assertThat(continuations.ids(text)).as(prompt + " + " + text).isEqualTo(expected);
        joined += continues ? 1 : 0;
        alone += continues ? 0 : 1;
      }
    }
    assertThat(joined).isGreaterThan(prompts);
    assertThat(alone).isPositive();
  }
}
