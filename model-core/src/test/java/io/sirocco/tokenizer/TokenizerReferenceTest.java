package io.sirocco.tokenizer;

import static io.sirocco.tokenizer.SharedTokenizers.MAPPER;
import static io.sirocco.tokenizer.SharedTokenizers.cases;
import static io.sirocco.tokenizer.SharedTokenizers.ints;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Mistral's own tokenizers against ids recorded from Hugging Face tokenizers. */
class TokenizerReferenceTest {
  @TempDir private static Path unpacked;
  private SharedTokenizers shared;

  /** Before each test, not before all: so that each is counted as skipped. */
  @BeforeEach
  void needsTheSharedFiles() throws IOException {
    shared = files(unpacked);
  }

  /** The tokenizers that are compared. */
  SharedTokenizers files(Path folder) throws IOException {
    return SharedTokenizers.orSkip(folder);
  }

  @ParameterizedTest
  @ValueSource(strings = {"v1", "v3", "tekken"})
  void parsingTextsGivesTheReferenceIds(String name) throws Exception {
    JsonNode cases = cases(name);
    try (Tokenizer tokenizer = shared.open(name, SpecialTokenText.PARSE)) {
      for (JsonNode one : cases.path("encode")) {
        Encoding found = tokenizer.encode(one.path("text").asText());
        assertThat(found.ids()).as(one.path("id").asText()).isEqualTo(ints(one.path("ids")));
        assertThat(content(found)).isEqualTo(ints(one.path("ids_plain")));
        assertBounded(tokenizer, one.path("text").asText(), found);
      }
      for (JsonNode one : cases.path("encode_long")) {
        String text = one.path("unit").asText().repeat(one.path("times").asInt());
        Encoding found = tokenizer.encode(text);
        assertThat(found.length()).isEqualTo(one.path("count").asInt());
        assertThat(digest(found.ids())).isEqualTo(one.path("sha256").asText());
        assertBounded(tokenizer, text, found);
      }
      for (JsonNode one : cases.path("encode_error")) {
        assertThat(tokenizer.encode(one.path("text").asText()).ids())
            .isEqualTo(ints(one.path("as_replacement_ids")));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"v1", "v3", "tekken"})
  void literalTextsGiveTheReferenceIds(String name) throws Exception {
    JsonNode cases = cases(name);
    int different = 0;
    try (Tokenizer tokenizer = shared.open(name, SpecialTokenText.LITERAL)) {
      for (JsonNode one : cases.path("encode")) {
        boolean differs = one.has("ids_literal");
        different += differs ? 1 : 0;
        int[] expected = ints(one.path(differs ? "ids_literal" : "ids_plain"));
        Encoding found = tokenizer.encode(one.path("text").asText());
        assertThat(content(found)).as(one.path("id").asText()).isEqualTo(expected);
        assertBounded(tokenizer, one.path("text").asText(), found);
      }
      for (JsonNode one : cases.path("encode_long")) {
        String text = one.path("unit").asText().repeat(one.path("times").asInt());
        int[] found = content(tokenizer.encode(text));
        assertThat(found).hasSize(one.path("literal_count").asInt());
        assertThat(digest(found)).isEqualTo(one.path("literal_sha256").asText());
      }
    }
    assertThat(different).isPositive();
  }

  @ParameterizedTest
  @ValueSource(strings = {"v1", "v3", "tekken"})
  void truncationKeepsWhatTheReferenceKeeps(String name) throws Exception {
    JsonNode cases = cases(name);
    int compared = 0;
    try (Tokenizer tokenizer = shared.open(name, SpecialTokenText.PARSE)) {
      for (JsonNode one : cases.path("truncate")) {
        int limit = one.path("max_length").asInt();
        if (one.has("pair") || one.has("error") || limit == 0) {
          continue;
        }
        Encoding whole = tokenizer.encode(one.path("text").asText());
        if (!one.path("add_special").asBoolean()) {
          whole = new Encoding(content(whole), 0, 0);
        }
        boolean left = one.path("side").asText().equals("left");
        Encoding found = left ? whole.truncatedLeft(limit) : whole.truncatedRight(limit);
        assertThat(found.ids()).as(one.toString()).isEqualTo(ints(one.path("ids")));
        compared++;
      }
    }
    assertThat(compared).isGreaterThan(40);
  }

  @ParameterizedTest
  @ValueSource(strings = {"v1", "v3", "tekken"})
  void idsDecodeToTheReferenceTextsInBothModes(String name) throws Exception {
    JsonNode cases = cases(name);
    for (SpecialTokenText mode : SpecialTokenText.values()) {
      try (Tokenizer tokenizer = shared.open(name, mode)) {
        for (JsonNode one : cases.path("decode")) {
          int[] ids = ints(one.path("ids"));
          String id = mode + " " + one.path("id").asText();
          assertThat(tokenizer.decode(ids)).as(id).isEqualTo(one.path("text").asText());
          assertThat(tokenizer.decodeSkippingSpecial(ids))
              .as(id)
              .isEqualTo(one.path("text_skip").asText());
        }
        for (JsonNode one : cases.path("encode")) {
          int[] ids = ints(one.path("ids"));
          assertThat(tokenizer.decode(ids)).isEqualTo(one.path("decode").asText());
          assertThat(tokenizer.decodeSkippingSpecial(ids))
              .isEqualTo(one.path("decode_skip").asText());
        }
      }
    }
  }

  @Test
  void theFilesOwnPatternIsHonoured(@TempDir Path folder) throws IOException {
    JsonNode other =
        MAPPER.readTree(
            SharedTokenizers.FOLDER.resolve("tekken").resolve("cases_other_pattern.json").toFile());
    writeWithPattern(other.path("pattern").asText(), folder);
    try (Tokenizer tokenizer = Tokenizer.open(folder, SpecialTokenText.PARSE)) {
      for (JsonNode one : other.path("encode")) {
        assertThat(tokenizer.encode(one.path("text").asText()).ids())
            .as(one.path("id").asText())
            .isEqualTo(ints(one.path("ids")));
      }
    }
  }

  /** Writes the tekken tokenizer with another pattern into {@code folder}. */
  void writeWithPattern(String pattern, Path folder) throws IOException {
    JsonNode json = MAPPER.readTree(shared.folder("tekken").resolve("tokenizer.json").toFile());
    JsonNode split = json.path("pre_tokenizer").path("pretokenizers").path(0);
    ((ObjectNode) split.path("pattern")).put("Regex", pattern);
    MAPPER.writeValue(folder.resolve("tokenizer.json").toFile(), json);
  }

  @Test
  void aTextThatWouldOverrunThePatternIsRefusedBeforeTheJvmDies() {
    try (Tokenizer tokenizer = shared.open("tekken", SpecialTokenText.LITERAL)) {
      String spaces = " ".repeat(11_000_000);
      assertThatThrownBy(() -> tokenizer.encode(spaces))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the text has 11000000 characters, this tokenizer takes at most 2097152");
      assertThat(tokenizer.encode("A".repeat(1 << 21)).length()).isGreaterThan(100_000);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"v1", "v3", "tekken"})
  void theBoundsCatchAHugeText(String name) throws Exception {
    try (Tokenizer tokenizer = shared.open(name, SpecialTokenText.LITERAL)) {
      int minimum = tokenizer.minimumTokens("word ".repeat(1 << 20));
      System.out.println(name + ": 5 MiB of text are at least " + minimum + " tokens");
      assertThat(minimum).isGreaterThan(32768);
    }
  }

  private static void assertBounded(Tokenizer tokenizer, String text, Encoding found) {
    assertThat(tokenizer.minimumTokens(text)).as(text).isBetween(1, found.length());
  }

  static int[] content(Encoding encoding) {
    return Arrays.copyOfRange(
        encoding.ids(), encoding.prefix(), encoding.length() - encoding.suffix());
  }

  private static String digest(int[] ids) throws GeneralSecurityException {
    String joined = Arrays.stream(ids).mapToObj(Integer::toString).collect(Collectors.joining(","));
    byte[] hash =
        MessageDigest.getInstance("SHA-256").digest(joined.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(hash);
  }
}
