package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.sampling.FinishReason;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.sampling.GenerationOptions;
import io.sirocco.sampling.GenerationSettings;
import io.sirocco.tokenizer.SpecialTokenText;
import io.sirocco.tokenizer.Tokenizer;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class WritingTest {
  private static final int[] PROMPT = {1};

  @Test
  void aCharacterOfSeveralTokensBeforeAStopStringStaysWhole() {
    try (Tokenizer tokenizer = open()) {
      int[] ids = ids(tokenizer, "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", ".");

      assertThat(cut(tokenizer, ".", ids)).isEqualTo("😀");
    }
  }

  @Test
  void whatComesBeforeAStopStringInAControlTokensNameIsNoText() {
    try (Tokenizer tokenizer = open()) {
      int[] ids = ids(tokenizer, ".", "</s>");

      assertThat(cut(tokenizer, "s>", ids)).isEqualTo(".");
      assertThat(cut(tokenizer, "</s>", ids)).isEqualTo(".");
      assertThat(cut(tokenizer, ".</s>", ids)).isEmpty();
    }
  }

  private static Tokenizer open() {
    return Tokenizer.open(WriterModel.SAMPLES.resolve("ticket-writer"), SpecialTokenText.LITERAL);
  }

  private static int[] ids(Tokenizer tokenizer, String... tokens) {
    return Stream.of(tokens).mapToInt(token -> tokenizer.idOf(token).orElseThrow()).toArray();
  }

  private static String cut(Tokenizer tokenizer, String stop, int[] ids) {
    GenerationOptions options =
        GenerationOptions.none().with(GenerationKey.STOP_STRINGS, List.of(stop));
    GenerationSettings settings = GenerationSettings.resolve(options, GenerationOptions.none());
    return Writing.of(settings, tokenizer, false).text(PROMPT, ids, FinishReason.STOP_STRING);
  }
}
