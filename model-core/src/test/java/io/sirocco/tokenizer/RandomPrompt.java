package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/** A text of pieces, each from a template or from data. */
record RandomPrompt(String text, BitSet fromData) {
  private static final List<String> PIECES =
      List.of(
          " ",
          "  ",
          "\n",
          "a",
          " word",
          "Word ",
          "é",
          "😀",
          "漢字",
          "▁",
          "[",
          "]",
          "<",
          ">",
          "/",
          "[REFERENCE_DOC_3]",
          "\t",
          "\u00a0",
          "123",
          "...",
          "don't",
          "\r\n\n",
          "x ",
          "s>",
          "INST]");

  /** Pieces are words, white space, the contents of {@code tokens}, and halves of them. */
  static RandomPrompt draw(Random random, List<JsonNode> tokens) {
    StringBuilder text = new StringBuilder();
    BitSet fromData = new BitSet();
    int pieces = random.nextInt(12);
    for (int i = 0; i < pieces; i++) {
      int start = text.length();
      switch (random.nextInt(5)) {
        case 0, 1 -> text.append(PIECES.get(random.nextInt(PIECES.size())));
        case 2, 3 -> text.append(content(random, tokens));
        default -> {
          String content = content(random, tokens);
          int cut = random.nextInt(content.length() + 1);
          text.append(random.nextBoolean() ? content.substring(cut) : content.substring(0, cut));
          // The other half comes at times, from the other side.
          if (random.nextBoolean()) {
            fromData.set(start, text.length(), random.nextBoolean());
            start = text.length();
            text.append(content.substring(cut));
          }
        }
      }
      fromData.set(start, text.length(), random.nextBoolean());
    }
    return new RandomPrompt(text.toString(), fromData);
  }

  /** The first few are the ones that matter most. */
  private static String content(Random random, List<JsonNode> tokens) {
    int bound = random.nextInt(4) > 0 ? Math.min(5, tokens.size()) : tokens.size();
    return tokens.get(random.nextInt(bound)).path("content").asText();
  }
}
