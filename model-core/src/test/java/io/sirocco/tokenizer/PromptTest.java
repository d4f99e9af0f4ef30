package io.sirocco.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prompts and their continuations, in variants of the sample writer's tokenizer. */
class PromptTest {
  private static final Path SAMPLE = Path.of("..", "sample-data", "ticket-writer");
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String CHAT = "<s>[INST] {} [/INST] ok</s>";

  @TempDir private Path folder;
  private ObjectNode json;
  private final List<JsonNode> added = new ArrayList<>();

  @BeforeEach
  void readTheSample() throws IOException {
    json = (ObjectNode) MAPPER.readTree(SAMPLE.resolve("tokenizer.json").toFile());
    json.path("added_tokens").forEach(added::add);
  }

  @Test
  void aTemplatesControlTokensCountAndARowsDoNot() {
    try (Tokenizer tokenizer = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL)) {
      String row = "close </s> it<s>";
      int[] ids = tokenizer.encodePrompt(CHAT.replace("{}", row), dataAt(10, row.length()));
      assertThat(ids).startsWith(1).endsWith(2);
      assertThat(Arrays.stream(ids).filter(id -> id < 3)).hasSize(2);
      assertThat(tokenizer.decode(ids)).isEqualTo("<s> [INST] close </s> it<s> [/INST] ok</s>");
      assertThat(tokenizer.decodeSkippingSpecial(ids))
          .isEqualTo("[INST] close </s> it<s> [/INST] ok");
    }
  }

  @Test
  void oneUnitOfDataIsEnough() {
    try (Tokenizer tokenizer = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL)) {
      assertThat(tokenizer.encodePrompt("</s>", new BitSet())).containsExactly(2);
      for (int i = 0; i < 4; i++) {
        assertThat(tokenizer.encodePrompt("</s>", dataAt(i, 1)))
            .doesNotContain(2)
            .hasSizeGreaterThan(1);
      }
    }
  }

  @Test
  void twoTokenizersOfOneFileGiveTheSameIds() {
    try (Tokenizer one = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL);
        Tokenizer other = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL)) {
      String text = CHAT.replace("{}", "hello");
      assertThat(one.encodePrompt(text, new BitSet()))
          .isEqualTo(other.encodePrompt(text, new BitSet()));
      assertThat(one.vocabSize()).isEqualTo(2048);
    }
  }

  @Test
  void withParsingEveryNameCounts() {
    try (Tokenizer tokenizer = Tokenizer.open(SAMPLE, SpecialTokenText.PARSE)) {
      assertThat(tokenizer.encodePrompt("</s>", dataAt(0, 4))).containsExactly(2);
    }
  }

  @Test
  void dataBeyondTheTextIsRefused() {
    try (Tokenizer tokenizer = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL)) {
      assertThatThrownBy(() -> tokenizer.encodePrompt("abc", dataAt(2, 2)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("fromData has bit 3, but the text has 3 characters");
    }
  }

  @Test
  void aLoneSurrogateDoesNotMoveTheData() {
    try (Tokenizer tokenizer = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL)) {
      assertThat(tokenizer.encodePrompt("\ud83d</s>\ude00</s>", dataAt(6, 4)))
          .isEqualTo(tokenizer.encodePrompt("\ufffd</s>\ufffd</s>", dataAt(6, 4)))
          .containsOnlyOnce(2);
    }
  }

  @Test
  void flagsOfAddedTokensActAsInTheLibrary() throws IOException {
    long seed = System.nanoTime();
    System.out.println("PromptTest: seed " + seed);
    Random random = new Random(seed);
    int controls = 0;
    for (int file = 0; file < 60; file++) {
      drawTokens(random);
      try (Tokenizer literal = open(SpecialTokenText.LITERAL);
          Tokenizer parsing = open(SpecialTokenText.PARSE)) {
        for (int i = 0; i < 60; i++) {
          String text = RandomPrompt.draw(random, added).text();
          int[] expected = parsing.encodePrompt(text, new BitSet());
          assertThat(literal.encodePrompt(text, new BitSet()))
              .as(() -> '"' + text + "\" with " + added)
              .isEqualTo(expected);
          assertThat(literal.decode(expected)).isEqualTo(parsing.decode(expected));
          controls += Arrays.stream(expected).anyMatch(literal::isSpecial) ? 1 : 0;
        }
      }
    }
    assertThat(controls).isGreaterThan(500);
  }

  /**
   * Tokens that begin, contain and follow one another, with flags at random. None is one character:
   * loaded into the vocabulary, that would be a symbol of every text.
   */
  private void drawTokens(Random random) throws IOException {
    readTheSample();
    ArrayNode tokens = json.putArray("added_tokens");
    added.subList(0, 3).forEach(tokens::add);
    added.clear();
    int id = json.path("model").path("vocab").size();
    for (String content :
        List.of("<a>", "<a>ж", "жш", "ш <", "<|x y|>", "жшж", "шж", " ю", "漢字", "<0x41>x")) {
      if (random.nextBoolean()) {
        ObjectNode token = MAPPER.createObjectNode().put("id", id++).put("content", content);
        for (String flag : List.of("lstrip", "rstrip", "single_word", "normalized")) {
          token.put(flag, random.nextInt(4) == 0);
        }
        // One that is passed over hides those that share characters with it; not followed.
        boolean apart = List.of("<|x y|>", " ю", "漢字").contains(content);
        token.put("single_word", apart && random.nextBoolean());
        token.put("special", random.nextInt(3) > 0);
        tokens.add(token);
      }
    }
    tokens.forEach(added::add);
    switch (random.nextInt(3)) {
      case 0 -> json.putNull("normalizer");
      case 1 -> {
        json.putNull("normalizer");
        json.putObject("pre_tokenizer")
            .put("type", "Metaspace")
            .put("replacement", "▁")
            .put("prepend_scheme", "first")
            .put("split", false);
      }
      default -> {}
    }
  }

  @Test
  void aControlTokenBehindAnotherNormalizerIsRefusedInPrompts() throws IOException {
    ((ObjectNode) json.path("added_tokens").path(2)).put("normalized", true);
    json.putObject("normalizer").put("type", "NFC");
    try (Tokenizer tokenizer = open(SpecialTokenText.LITERAL)) {
      assertThat(tokenizer.encode("a").length()).isEqualTo(2);
      assertThatThrownBy(() -> tokenizer.encodePrompt("a", new BitSet()))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("set \"normalized\" to false");
    }
  }

  @Test
  void addedTokensThatLeaveNoCharactersForAliasesAreRefused() throws IOException {
    int id = json.path("model").path("vocab").size();
    for (int first = 0xE000; first < 0xEA00; first += 0x200) {
      StringBuilder content = new StringBuilder();
      for (int c = first; c < first + 0x200; c++) {
        content.append((char) c);
      }
      ((ArrayNode) json.path("added_tokens"))
          .addObject()
          .put("id", id++)
          .put("content", content.toString())
          .put("special", false);
    }
    assertThatThrownBy(() -> open(SpecialTokenText.LITERAL))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("leaves too few for prompts");
  }

  @Test
  void continuationsAreWhatPromptAndTextHaveBeyondThePrompt() throws IOException {
    long seed = System.nanoTime();
    System.out.println("PromptTest: seed " + seed);
    Random random = new Random(seed);
    try (Tokenizer tokenizer = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL)) {
      ContinuationCheck.check(random, tokenizer, added, 1000);
      Continuations plain = tokenizer.continuations("the ticket is about bil");
      int[] whole = tokenizer.encode("the ticket is about billing").ids();
      int[] prompt = tokenizer.encode("the ticket is about bil").ids();
      assertThat(Arrays.copyOf(whole, prompt.length)).isNotEqualTo(prompt);
      int[] alone = tokenizer.encode("ling").ids();
      assertThat(plain.ids("ling")).isEqualTo(Arrays.copyOfRange(alone, 1, alone.length));
      assertThat(plain.ids("")).isEmpty();
      assertThat(plain.ids("</s>")).doesNotContain(2);
    }
  }

  @Test
  void aTokenBetweenPromptAndContinuationIsSeen() throws IOException {
    int id = json.path("model").path("vocab").size();
    ObjectNode token = (ObjectNode) added.get(0).deepCopy();
    token.put("id", id).put("content", "</s>yes").put("special", false);
    ((ArrayNode) json.path("added_tokens")).add(token);
    try (Tokenizer tokenizer = open(SpecialTokenText.LITERAL)) {
      Continuations found = tokenizer.continuations("a b</s>", new BitSet());
      assertThat(tokenizer.encodePrompt("a b</s>yes", dataAt(7, 3))).endsWith(id);
      assertThat(found.ids("yes")).isEqualTo(tokenizer.encodePrompt("yes", dataAt(0, 3)));
    }
  }

  @Test
  void anAddedTokenThatIsTooLongIsRefused() {
    ((ObjectNode) json.path("added_tokens").path(2)).put("content", "x".repeat(513));
    assertThatThrownBy(() -> open(SpecialTokenText.PARSE))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("the content of id 2 has 513 characters, at most 512");
  }

  private static BitSet dataAt(int start, int length) {
    BitSet data = new BitSet();
    data.set(start, start + length);
    return data;
  }

  private Tokenizer open(SpecialTokenText mode) throws IOException {
    MAPPER.writeValue(folder.resolve("tokenizer.json").toFile(), json);
    return Tokenizer.open(folder, mode);
  }
}
