package io.sirocco.tokenizer.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.tokenizer.SpecialTokenText;
import io.sirocco.tokenizer.Tokenizer;
import io.sirocco.tokenizer.convert.SentencePieceFile.Message;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Small tokenizer.model and tekken.json files of the tests' own: what they become. */
class TokenizerFilesTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final int FIRST = 259;
  private static final long SEED = 20261126;

  @TempDir private Path folder;

  @Test
  void aSentencePieceModelIsOpenedAsItIs() throws IOException {
    model(SentencePieceFile.small());
    try (Tokenizer tokenizer = open()) {
      // "▁the" comes of "▁th" and "e": "▁th" has a better score than "the".
      assertThat(tokenizer.encode("the in").ids())
          .containsExactly(1, FIRST + 4, FIRST + 7, FIRST + 6);
      assertThat(tokenizer.encode("é").ids()).containsExactly(1, FIRST + 7, 3 + 0xC3, 3 + 0xA9);
      assertThat(tokenizer.encode("</s>").ids()).hasSizeGreaterThan(2).doesNotContain(2);
      assertThat(tokenizer.decode(tokenizer.encode("the in é").ids())).isEqualTo("<s> the in é");
      assertThat(tokenizer.isSpecial(2)).isTrue();
      assertThat(tokenizer.vocabSize()).isEqualTo(FIRST + 14);
    }
  }

  @Test
  void aTekkenFileIsOpenedAsItIs() throws IOException {
    tekken(TekkenJson.small());
    try (Tokenizer tokenizer = open()) {
      int first = TekkenJson.SPECIAL + 256;
      assertThat(tokenizer.encode("the the in").ids())
          .containsExactly(1, first + 1, first + 4, TekkenJson.SPECIAL + ' ', first + 5);
      assertThat(tokenizer.encode("é\0").ids()).containsExactly(1, first + 6, TekkenJson.SPECIAL);
      assertThat(tokenizer.decode(tokenizer.encode("naïve 漢字").ids())).isEqualTo("<s>naïve 漢字");
      assertThat(tokenizer.idOf("[TOOL_CALLS]")).hasValue(9);
      assertThat(tokenizer.idOf("<SPECIAL_23>")).hasValue(23);
    }
  }

  @Test
  void controlTokensOfATekkenFileAreThoseItNames() throws IOException {
    ObjectNode json = TekkenJson.small();
    ((ObjectNode) json.path("config")).put("version", "v7");
    ArrayNode special = json.putArray("special_tokens");
    for (String name : List.of("<unk>", "<s>", "</s>", "[INST]", "[THINK]")) {
      int rank = special.size();
      special.addObject().put("rank", rank).put("token_str", name).put("is_control", true);
    }
    tekken(json);
    try (Tokenizer tokenizer = open()) {
      assertThat(tokenizer.idOf("[THINK]")).hasValue(4);
      assertThat(tokenizer.idOf("<SPECIAL_5>")).hasValue(5);
      assertThat(tokenizer.idOf("[TOOL_CALLS]")).isEmpty();
    }
    RawTokenizer raw = TokenizerFiles.open(folder).orElseThrow();
    assertThat(raw.generation()).isEqualTo(Generation.LATER);
    assertThat(raw.chatTemplateNote())
        .startsWith("no chat template")
        .contains("tekken.json has version v7");
  }

  @Test
  void runsOfSpacesAreMergedLast() {
    String json =
        RawTokenizer.ofSentencePiece(
                "test",
                new SentencePieceFile()
                    .bytePieces()
                    .piece("▁▁", -1e9f, 1)
                    .piece("▁▁▁", -1e9f, 1)
                    .pieces("ab", "▁", "a", "b")
                    .bytes(),
                Optional.empty())
            .json();
    assertThat(json)
        .endsWith("\"merges\":[[\"a\",\"b\"],[\"▁▁\",\"▁\"],[\"▁\",\"▁▁\"],[\"▁\",\"▁\"]]}}");
  }

  @Test
  void spacesGoWhereTheGenerationOrTheConfigSays() throws IOException {
    model(withInstructions());
    try (Tokenizer tokenizer = open()) {
      assertThat(tokenizer.encode(" a").ids()).isEqualTo(tokenizer.encode("a").ids());
    }
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"legacy\": true}");
    try (Tokenizer tokenizer = open()) {
      assertThat(tokenizer.encode(" a").ids()).isNotEqualTo(tokenizer.encode("a").ids());
    }
  }

  @Test
  void theFileThatTransformersReadsWins() throws IOException {
    assertThat(TokenizerFiles.open(folder)).isEmpty();
    Files.writeString(folder.resolve("tekken.json"), "damaged");
    Files.copy(
        Path.of("..", "sample-data", "ticket-writer", "tokenizer.json"),
        folder.resolve("tokenizer.json"));
    assertThat(TokenizerFiles.open(folder)).isEmpty();
    open().close();
  }

  @ParameterizedTest
  @CsvSource({"tokenizer.model.v1, V1", "tokenizer.model.v2, V3", "tokenizer.model.v3, V3"})
  void rawReleasesMayNameTheGeneration(String name, Generation generation) throws IOException {
    SentencePieceFile file =
        generation == Generation.V1 ? SentencePieceFile.small() : withInstructions();
    Files.write(folder.resolve(name), file.bytes());
    assertThat(TokenizerFiles.open(folder).orElseThrow().generation()).isEqualTo(generation);
  }

  @Test
  void aFolderIsWrittenThatOpensLikeTheRawOne(@TempDir Path to) throws IOException {
    tekken(TekkenJson.small());
    List<String> done = TokenizerFiles.write(folder, to);
    assertThat(done).hasSize(3);
    assertThat(done.get(0)).startsWith("tokenizer.json: made of ").endsWith("tekken.json");
    assertThat(done.get(1)).startsWith("tokenizer_config.json: made of");
    assertThat(done.get(2))
        .startsWith("chat_template.jinja: chat template of generation v3-tekken")
        .contains("the folder has none")
        .endsWith("tekken.json has version v3");
    String text = "the end, naïve";
    try (Tokenizer raw = open();
        Tokenizer written = Tokenizer.open(to, SpecialTokenText.LITERAL)) {
      assertThat(written.encode(text)).isEqualTo(raw.encode(text));
    }
    assertThat(TokenizerFiles.hasChatTemplate(to)).isTrue();
    assertThat(MAPPER.readTree(to.resolve("tokenizer_config.json").toFile()).path("pad_token"))
        .hasToString("\"<pad>\"");
    assertThat(TokenizerFiles.write(folder, to)).isEqualTo(done);
  }

  @Test
  void whatThePublisherSaysIsKept(@TempDir Path to) throws IOException {
    model(SentencePieceFile.small());
    String config = "{\"bos_token\": \"<s>\", \"chat_template\": \"mine\"}";
    Files.writeString(folder.resolve("tokenizer_config.json"), config);
    assertThat(TokenizerFiles.write(folder, to))
        .hasSize(2)
        .contains("tokenizer_config.json: copied");
    assertThat(to.resolve("tokenizer_config.json")).hasContent(config);
    assertThat(to.resolve("chat_template.jinja")).doesNotExist();
    assertThat(TokenizerFiles.write(folder, folder)).hasSize(1);
    assertThat(TokenizerFiles.write(folder, folder)).isEmpty();
  }

  @Test
  void aFolderWithoutTokenizerGivesNothing(@TempDir Path to) throws IOException {
    assertThat(TokenizerFiles.write(folder, to)).isEmpty();
    assertThat(to).isEmptyDirectory();
  }

  private static Stream<Object[]> refusedModels() {
    return Stream.of(
        refused("no piece", new byte[0]),
        refused("is no SentencePiece model", new byte[] {1, 2, 3}),
        refused("ends within a field", new byte[] {10}),
        refused(
            "field 1 has 9223372036854775807 bytes",
            new Message().varint(10).varint(Long.MAX_VALUE).toBytes()),
        refused(
            "field 1 has 18446744073709551615 bytes",
            new Message().varint(10).varint(-1).toBytes()),
        refused(
            "field 1 has 2147483648 bytes", new Message().varint(10).varint(1L << 31).toBytes()),
        refused("more than 10 bytes", repeated(-1, 64)),
        refused("wire type 3", new byte[] {(9 << 3) | 3}),
        refused("no field has the number 0", new byte[] {2, 0}),
        refused("has type 5", SentencePieceFile.small().piece("x", 0, 5).bytes()),
        refused(
            "has type 4294967297", SentencePieceFile.small().piece("x", 0, (1L << 32) + 1).bytes()),
        refused("has score NaN", SentencePieceFile.small().piece("x", Float.NaN, 1).bytes()),
        refused("occurs a second time", SentencePieceFile.small().pieces("in").bytes()),
        refused("has 0 characters", SentencePieceFile.small().pieces("").bytes()),
        refused("has 257 characters", SentencePieceFile.small().pieces("x".repeat(257)).bytes()),
        refused("no piece of type byte for <0x00>", new SentencePieceFile().pieces("a").bytes()),
        refused("model_type is 1", SentencePieceFile.small().trainer(new Message()).bytes()),
        refused(
            "byte_fallback is off",
            SentencePieceFile.small().trainer(new Message().integer(3, 2)).bytes()),
        refused(
            "bos_id is -1",
            SentencePieceFile.small()
                .trainer(new Message().integer(3, 2).integer(35, 1).integer(41, -1))
                .bytes()),
        refused(
            "add_dummy_prefix is off",
            SentencePieceFile.small()
                .normalizer(new Message().integer(3, 0).integer(4, 0))
                .bytes()),
        refused(
            "remove_extra_whitespaces is on",
            SentencePieceFile.small().normalizer(new Message()).bytes()),
        refused(
            "rules that change the text",
            SentencePieceFile.small()
                .normalizer(new Message().integer(4, 0).bytes(2, new byte[] {1}))
                .bytes()));
  }

  private static Object[] refused(String problem, byte[] file) {
    return new Object[] {problem, file};
  }

  @ParameterizedTest
  @MethodSource("refusedModels")
  void modelsOfAnotherKindAreRefusedByWhatTheyAre(String problem, byte[] file) throws IOException {
    Files.write(folder.resolve("tokenizer.model"), file);
    assertThatThrownBy(this::open)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("tokenizer.model: ")
        .hasMessageContaining(problem);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "config.pattern;'';config.pattern is missing",
        "config.pattern;'(a+)+';config.pattern has 5 characters; patterns are not run",
        "config.pattern;[];config.pattern is not one value; expected a string",
        "config.default_vocab_size;2147483647;config.default_vocab_size is 2147483647",
        "config.default_vocab_size;4294967296;config.default_vocab_size is 4294967296; expected a",
        "config.default_vocab_size;-1;config.default_vocab_size is -1",
        "config.default_vocab_size;100;config.default_vocab_size is 100",
        "config.default_num_special_tokens;0;config.default_num_special_tokens is 0",
        "config.default_num_special_tokens;2147483647;config.default_num_special_tokens is 21474",
        "config.default_num_special_tokens;1;config.default_vocab_size is 287, of which 1 are",
        "vocab.0.token_bytes;'AQ==';vocab[0] is not byte 0",
        "vocab.256.token_bytes;'!';vocab[256].token_bytes is not base64",
        "vocab.256.token_bytes;'';vocab[256] has 0 bytes",
        "vocab.257.token_bytes;'dGg=';vocab[257] occurs before",
        "vocab.256.token_bytes;'PC9zPg==';special token </s> occurs twice",
        "vocab.256.rank;7;vocab[256] has another rank",
        "vocab.256;[];vocab holds more than objects",
      })
  void tekkenFilesThatContradictThemselvesAreRefused(String place, String value, String problem)
      throws IOException {
    ObjectNode json = TekkenJson.small();
    String[] steps = place.split("\\.");
    var parent = json.at("/" + String.join("/", Arrays.copyOf(steps, steps.length - 1)));
    String last = steps[steps.length - 1];
    boolean isText = !value.matches("-?[0-9]+|\\[\\]");
    var changed = isText ? MAPPER.getNodeFactory().textNode(value) : MAPPER.readTree(value);
    if (parent instanceof ObjectNode object) {
      object.set(last, changed);
    } else {
      ((ArrayNode) parent).set(Integer.parseInt(last), changed);
    }
    tekken(json);
    assertThatThrownBy(this::open)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("tekken.json: ")
        .hasMessageContaining(problem);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "'';is not a JSON object",
        "[];is not a JSON object",
        "{} {};something follows",
        "{\"config\":;is not valid JSON",
        "{\"vocab\":[],\"vocab\":[]};is not valid JSON: Duplicate field",
        "{\"config\":{}};config.pattern is missing"
      })
  void whatIsNoTekkenFileIsRefused(String text, String problem) throws IOException {
    Files.writeString(folder.resolve("tekken.json"), text);
    assertThatThrownBy(this::open)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("tekken.json: " + problem);
  }

  @ParameterizedTest
  @CsvSource({"tekken.json, 83886081", "tokenizer.model, 16777217"})
  void filesBeyondTheSizeLimitAreNotRead(String name, long size) throws IOException {
    try (var file = new RandomAccessFile(folder.resolve(name).toFile(), "rw")) {
      file.setLength(size);
    }
    assertThatThrownBy(this::open)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(name + ": has " + size + " bytes, at most");
  }

  @Test
  void tokensThatConsistOfEachOtherInTooManyWaysAreRefused() {
    SentencePieceFile file = SentencePieceFile.small();
    for (String letter : List.of("x", "y", "z", "u", "v", "w", "k", "l", "m", "o")) {
      for (int length = 1; length <= Merges.MAX_TOKEN; length++) {
        file.pieces(letter.repeat(length));
      }
    }
    byte[] bytes = file.bytes();
    assertThatThrownBy(() -> RawTokenizer.ofSentencePiece("test", bytes, Optional.empty()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("would take over 4 times the file's size");
  }

  /** A hundred thousand would be a file of 34 MB; time grows with their number. */
  @Test
  void tokensOfTheGreatestLengthAreSplitInTime() {
    int count = 20_000;
    Random random = new Random(SEED);
    Map<String, Integer> ids = new HashMap<>();
    List<String> tokens = new ArrayList<>();
    for (int id = 0; id < count; id++) {
      StringBuilder token = new StringBuilder();
      while (token.length() < Merges.MAX_TOKEN) {
        token.append((char) ('a' + random.nextInt(2)));
      }
      tokens.add(token.toString());
      ids.put(token.toString(), id);
    }
    Merges merges = new Merges("test", ids, (long) count * Merges.MAX_TOKEN);
    Instant start = Instant.now();
    for (int id = 0; id < count; id++) {
      merges.add(tokens.get(id), id);
    }
    Duration taken = Duration.between(start, Instant.now());
    System.out.printf("%,d tokens of 256 characters: %d ms%n", count, taken.toMillis());
    assertThat(merges.found()).isEmpty();
    assertThat(taken).isLessThan(Duration.ofSeconds(20));
  }

  private static SentencePieceFile withInstructions() {
    return new SentencePieceFile()
        .control("[INST]")
        .control("[/INST]")
        .bytePieces()
        .pieces("▁a", "▁", "a", "b");
  }

  private static byte[] repeated(int value, int times) {
    byte[] bytes = new byte[times];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private void model(SentencePieceFile file) throws IOException {
    Files.write(folder.resolve("tokenizer.model"), file.bytes());
  }

  private void tekken(ObjectNode json) throws IOException {
    Files.write(folder.resolve("tekken.json"), TekkenJson.bytes(json));
  }

  private Tokenizer open() {
    return Tokenizer.open(folder, SpecialTokenText.LITERAL);
  }
}
