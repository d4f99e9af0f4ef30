package io.sirocco.tokenizer;

import static io.sirocco.tokenizer.SharedTokenizers.MAPPER;
import static io.sirocco.tokenizer.SharedTokenizers.ints;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Prompts in Mistral's own tokenizers. */
class PromptReferenceTest {
  @TempDir private static Path unpacked;
  private SharedTokenizers shared;

  @BeforeEach
  void needsTheSharedFiles() throws IOException {
    shared = SharedTokenizers.orSkip(unpacked);
  }

  @ParameterizedTest
  @CsvSource({"v1, 66", "v3, 57", "tekken, 56"})
  void renderedTemplatesGiveTheReferenceIds(String name, int count) throws IOException {
    JsonNode cases = MAPPER.readTree(SharedTokenizers.FOLDER.resolve("templates.json").toFile());
    for (SpecialTokenText mode : SpecialTokenText.values()) {
      int compared = 0;
      try (Tokenizer tokenizer = shared.open(name, mode)) {
        for (JsonNode one : cases.path("cases")) {
          if (one.path("tokenizer").asText().equals(name) && one.has("ids")) {
            assertThat(tokenizer.encodePrompt(one.path("text").asText(), new BitSet()))
                .as(mode + " " + one.path("id").asText())
                .isEqualTo(ints(one.path("ids")));
            assertThat(tokenizer.minimumPromptTokens(one.path("text").asText()))
                .isBetween(0, one.path("ids").size());
            compared++;
          }
        }
      }
      assertThat(compared).isEqualTo(count);
    }
  }

  /** Template and data pieces at random, against segments encoded one by one. */
  @ParameterizedTest
  @ValueSource(strings = {"v1", "v3", "tekken"})
  void onlyTheTemplatesControlTokensCount(String name, @TempDir Path folder) throws IOException {
    ObjectNode json =
        (ObjectNode) MAPPER.readTree(shared.folder(name).resolve("tokenizer.json").toFile());
    List<JsonNode> special = new ArrayList<>();
    var ordinary = MAPPER.createArrayNode();
    for (JsonNode token : json.path("added_tokens")) {
      if (token.path("special").asBoolean()) {
        special.add(token);
      } else {
        ordinary.add(token);
      }
    }
    json.set("added_tokens", ordinary);
    MAPPER.writeValue(folder.resolve("tokenizer.json").toFile(), json);
    long seed = System.nanoTime();
    System.out.println("PromptReferenceTest " + name + ": seed " + seed);
    Random random = new Random(seed);
    int literals = 0;
    int controls = 0;
    try (Tokenizer tokenizer = shared.open(name, SpecialTokenText.LITERAL);
        Tokenizer segments = Tokenizer.open(folder, SpecialTokenText.PARSE)) {
      SegmentOracle oracle = new SegmentOracle(segments, special, name.equals("v3"));
      for (int i = 0; i < 800; i++) {
        RandomPrompt prompt = RandomPrompt.draw(random, special);
        int[] expected = oracle.ids(prompt);
        assertThat(tokenizer.encodePrompt(prompt.text(), prompt.fromData()))
            .as(prompt.toString())
            .isEqualTo(expected);
        boolean allCount =
            Arrays.equals(tokenizer.encodePrompt(prompt.text(), new BitSet()), expected);
        literals += allCount ? 0 : 1;
        controls += oracle.controls(prompt) > 0 ? 1 : 0;
      }
    }
    assertThat(literals).isGreaterThan(100);
    assertThat(controls).isGreaterThan(100);
  }

  @ParameterizedTest
  @ValueSource(strings = {"v1", "v3", "tekken"})
  void withoutDataAPromptIsWhatParsingGives(String name) throws IOException {
    long seed = System.nanoTime();
    System.out.println("PromptReferenceTest " + name + ": seed " + seed);
    Random random = new Random(seed);
    JsonNode json = MAPPER.readTree(shared.folder(name).resolve("tokenizer.json").toFile());
    List<JsonNode> added = new ArrayList<>();
    json.path("added_tokens").forEach(added::add);
    try (Tokenizer tokenizer = shared.open(name, SpecialTokenText.LITERAL);
        Tokenizer parsing = shared.open(name, SpecialTokenText.PARSE)) {
      for (int i = 0; i < 500; i++) {
        String text = RandomPrompt.draw(random, added).text();
        assertThat(tokenizer.encodePrompt(text, new BitSet()))
            .as(text)
            .isEqualTo(parsing.encodePrompt(text, new BitSet()));
        Encoding whole = parsing.encode(text);
        assertThat(parsing.encodePrompt(text, new BitSet()))
            .isEqualTo(Arrays.copyOfRange(whole.ids(), whole.prefix(), whole.length()));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"v1", "v3", "tekken"})
  void continuationsAreWhatPromptAndTextHaveBeyondThePrompt(String name) throws IOException {
    long seed = System.nanoTime();
    System.out.println("PromptReferenceTest " + name + ": seed " + seed);
    JsonNode json = MAPPER.readTree(shared.folder(name).resolve("tokenizer.json").toFile());
    List<JsonNode> added = new ArrayList<>();
    json.path("added_tokens").forEach(added::add);
    try (Tokenizer tokenizer = shared.open(name, SpecialTokenText.LITERAL)) {
      ContinuationCheck.check(new Random(seed), tokenizer, added, 400);
    }
  }
}
