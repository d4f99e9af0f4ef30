package io.sirocco.tokenizer;

import static io.sirocco.tokenizer.SharedTokenizers.MAPPER;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.tokenizer.convert.TokenizerFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same cases by folders that have tokenizer.model or tekken.json and nothing else. */
class RawTokenizerReferenceTest extends TokenizerReferenceTest {
  @TempDir private static Path unpackedRaw;

  @Override
  SharedTokenizers files(Path folder) throws IOException {
    return SharedTokenizers.rawOrSkip(folder);
  }

  @Override
  void writeWithPattern(String pattern, Path folder) throws IOException {
    JsonNode json =
        MAPPER.readTree(files(unpackedRaw).folder("tekken").resolve("tekken.json").toFile());
    ((ObjectNode) json.path("config")).put("pattern", pattern);
    MAPPER.writeValue(folder.resolve("tekken.json").toFile(), json);
  }

  /** So all that is tested with the published file holds for the converted one, too. */
  @ParameterizedTest
  @ValueSource(strings = {"v1", "v3", "tekken"})
  void theConvertedFileIsThePublishedOne(String name, @TempDir Path folder) throws IOException {
    Path file = SharedTokenizers.orSkip(folder).folder(name).resolve("tokenizer.json");
    JsonNode published = MAPPER.readTree(file.toFile());
    assertThat(withPairs(converted(name))).isEqualTo(withPairs(published));
  }

  @ParameterizedTest
  @ValueSource(strings = {"v1", "v3", "tekken"})
  void theFiguresAreThoseOfTheReferenceConversion(String name) throws Exception {
    JsonNode figures =
        MAPPER.readTree(SharedTokenizers.FOLDER.resolve("convert.json").toFile()).path(name);
    JsonNode json = converted(name);
    List<String> merges = merges(json);
    assertThat(merges).hasSize(figures.path("merge_count").asInt());
    assertThat(merges).startsWith(strings(figures.path("first_merges")));
    assertThat(merges).endsWith(strings(figures.path("last_merges")));
    assertThat(digest(merges)).isEqualTo(figures.path("merges_sha256").asText());

    Map<Integer, String> vocabulary = new TreeMap<>();
    json.path("model")
        .path("vocab")
        .fields()
        .forEachRemaining(entry -> vocabulary.put(entry.getValue().asInt(), entry.getKey()));
    assertThat(vocabulary).hasSize(figures.path("vocab_count").asInt());
    assertThat(vocabulary.values()).startsWith(strings(figures.path("first_vocab")));
    assertThat(new ArrayList<>(vocabulary.values())).endsWith(strings(figures.path("last_vocab")));
    List<String> lines = new ArrayList<>();
    vocabulary.forEach((id, token) -> lines.add(id + "\t" + token));
    assertThat(digest(lines)).isEqualTo(figures.path("vocab_sha256").asText());

    assertAdded(json.path("added_tokens"), figures);
    ObjectNode model = json.path("model").deepCopy();
    model.remove(List.of("vocab", "merges"));
    assertThat(model).isEqualTo(figures.path("model"));
    for (String step : List.of("normalizer", "pre_tokenizer", "post_processor", "decoder")) {
      assertThat(json.path(step)).as(step).isEqualTo(figures.path(step));
    }
  }

  private static void assertAdded(JsonNode added, JsonNode figures)
      throws GeneralSecurityException {
    List<String> lines = new ArrayList<>();
    List<String> notSpecial = new ArrayList<>();
    ArrayNode pairs = MAPPER.createArrayNode();
    for (JsonNode token : added) {
      boolean special = token.path("special").asBoolean();
      String content = token.path("content").asText();
      pairs.addArray().add(token.path("id").asInt()).add(content);
      lines.add(token.path("id").asInt() + "\t" + content + "\t" + (special ? 1 : 0));
      if (!special) {
        notSpecial.add(content);
      }
    }
    assertThat(lines).hasSize(figures.path("added_count").asInt());
    assertThat(lines.size() - notSpecial.size())
        .isEqualTo(figures.path("added_special_count").asInt());
    assertThat(notSpecial).containsExactly(strings(figures.path("added_not_special")));
    assertThat(digest(lines)).isEqualTo(figures.path("added_sha256").asText());
    int last = figures.path("added_last").size();
    for (int i = 0; i < figures.path("added_first").size(); i++) {
      assertThat(pairs.get(i)).isEqualTo(figures.path("added_first").get(i));
    }
    for (int i = 0; i < last; i++) {
      assertThat(pairs.get(pairs.size() - last + i)).isEqualTo(figures.path("added_last").get(i));
    }
  }

  private JsonNode converted(String name) throws IOException {
    Path folder = files(unpackedRaw).folder(name);
    Instant start = Instant.now();
    String json = TokenizerFiles.open(folder).orElseThrow().json();
    Duration taken = Duration.between(start, Instant.now());
    System.out.println(name + ": converted in " + taken.toMillis() + " ms");
    assertThat(taken).isLessThan(Duration.ofSeconds(30));
    return MAPPER.readTree(json);
  }

  /** The file with its merges in one of the two forms that they may have. */
  private static JsonNode withPairs(JsonNode json) {
    ArrayNode pairs = MAPPER.createArrayNode();
    merges(json).forEach(pairs::add);
    ((ObjectNode) json.path("model")).set("merges", pairs);
    return json;
  }

  /** No token of Mistral's has a space, so that one can stand between two. */
  private static List<String> merges(JsonNode json) {
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : json.path("model").path("merges")) {
      merges.add(
          merge.isArray() ? merge.get(0).asText() + " " + merge.get(1).asText() : merge.asText());
    }
    return merges;
  }

  private static String[] strings(JsonNode array) {
    List<String> values = new ArrayList<>();
    array.forEach(value -> values.add(value.asText()));
    return values.toArray(new String[0]);
  }

  private static String digest(List<String> lines) throws GeneralSecurityException {
    byte[] text = String.join("\n", lines).getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
  }
}
