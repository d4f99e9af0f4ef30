package io.sirocco.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokenizer files as strangers write them: variants of the sample classifier's. */
class TokenizerFileTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir private Path folder;
  private ObjectNode json;

  @BeforeEach
  void readTheSample() throws IOException {
    Path sample = Path.of("..", "sample-data", "ticket-classifier", "tokenizer.json");
    json = (ObjectNode) MAPPER.readTree(sample.toFile());
  }

  @Test
  void truncationAndPaddingOfTheFileAreIgnored() throws IOException {
    json.set(
        "truncation",
        MAPPER.readTree(
            "{'direction':'Right','max_length':3,'strategy':'LongestFirst','stride':0}"
                .replace('\'', '"')));
    json.set(
        "padding",
        MAPPER.readTree(
            "{'strategy':{'Fixed':64},'direction':'Left','pad_to_multiple_of':null,'pad_id':0,'pad_type_id':0,'pad_token':'<unk>'}"
                .replace('\'', '"')));
    try (Tokenizer tokenizer = open(SpecialTokenText.PARSE)) {
      assertThat(tokenizer.encode("a b c d e").length()).isEqualTo(6);
    }
  }

  @Test
  void addedTokensOutsideTheVocabularyKeepTheirIdsInBothModes() throws IOException {
    int size = json.path("model").path("vocab").size();
    addToken(size, "<|im_start|>", true);
    addToken(size + 1, "<plain>", false);
    addToken(size + 2, "<|im_end|>", true);
    try (Tokenizer parsing = open(SpecialTokenText.PARSE);
        Tokenizer literal = open(SpecialTokenText.LITERAL)) {
      assertThat(parsing.vocabSize()).isEqualTo(size + 3);
      assertThat(literal.vocabSize()).isEqualTo(size + 3);
      String text = "<|im_start|><plain><|im_end|>";
      assertThat(parsing.encode(text).ids()).containsExactly(1, size, size + 1, size + 2);
      assertThat(literal.encode(text).ids()).contains(size + 1).doesNotContain(size, size + 2);
      assertThat(literal.decode(new int[] {size, size + 2})).isEqualTo("<|im_start|><|im_end|>");
      assertThat(literal.decodeSkippingSpecial(new int[] {size, size + 1})).isEqualTo("<plain>");
    }
  }

  @Test
  void aControlTokenThatTheVocabularyItselfOffersIsRefusedInLiteralMode() throws IOException {
    ((ObjectNode) json.path("added_tokens").path(2)).put("content", "▁refund");
    int id = json.path("model").path("vocab").path("▁refund").asInt();
    ((ObjectNode) json.path("added_tokens").path(2)).put("id", id);
    try (Tokenizer literal = open(SpecialTokenText.LITERAL)) {
      assertThatThrownBy(() -> literal.encode("refund"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the text would contain the control token " + id);
    }
  }

  @Test
  void tokensAddedBehindTheTextAreTheSuffix() throws IOException {
    addTemplatePiece("</s>");
    ((ObjectNode) json.path("post_processor").path("special_tokens"))
        .set("</s>", MAPPER.readTree("{\"id\":\"</s>\",\"ids\":[2],\"tokens\":[\"</s>\"]}"));
    try (Tokenizer tokenizer = open(SpecialTokenText.LITERAL)) {
      Encoding found = tokenizer.encode("one two three");
      assertThat(found.prefix()).isEqualTo(1);
      assertThat(found.suffix()).isEqualTo(1);
      assertThat(found.ids()).startsWith(1).endsWith(2);
      assertThat(tokenizer.encode("")).isEqualTo(new Encoding(new int[] {1, 2}, 1, 1));
      assertThat(tokenizer.minimumTokens("")).isEqualTo(2);
    }
  }

  @Test
  void whereAddedTokensSwallowSpaceThereIsNoBound() throws IOException {
    ((ObjectNode) json.path("added_tokens").path(1)).put("lstrip", true);
    try (Tokenizer tokenizer = open(SpecialTokenText.PARSE)) {
      assertThat(tokenizer.minimumTokens(" ".repeat(10_000) + "<s>")).isEqualTo(1);
      assertThat(tokenizer.encode(" ".repeat(10_000) + "<s>").length()).isEqualTo(2);
    }
  }

  @Test
  void whereUnknownCharactersFuseThereIsNoBound() throws IOException {
    ((ObjectNode) json.path("model")).put("byte_fallback", false);
    try (Tokenizer tokenizer = open(SpecialTokenText.PARSE)) {
      String text = "漢".repeat(10_000);
      assertThat(tokenizer.minimumTokens(text)).isEqualTo(1);
      assertThat(tokenizer.encode(text).length()).isEqualTo(3);
    }
  }

  @Test
  void aTemplateWithATokenItDoesNotDefineIsRefused() throws IOException {
    addTemplatePiece("[MISSING]");
    assertRefused("post_processor: the template uses");
  }

  @Test
  void aTemplateWithTheTextTwiceIsRefused() throws IOException {
    array("post_processor", "single")
        .add(MAPPER.readTree("{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}"));
    assertRefused("holds the text 2 times");
  }

  @Test
  void aDecoderThatStripsTheEndIsRefused() throws IOException {
    ((ObjectNode) json.path("decoder").path("decoders").path(3)).put("stop", 1);
    assertRefused("decoder: Strip has stop 1, expected 0");
  }

  @ParameterizedTest
  @CsvSource({
    "normalizer, Precompiled",
    "pre_tokenizer, BertPreTokenizer",
    "post_processor, RobertaProcessing",
    "decoder, CTC"
  })
  void stepsThatMistralDoesNotUseAreRefusedByName(String section, String type) throws IOException {
    json.putObject(section).put("type", type);
    assertRefused(section + ": type \"" + type + "\" is not one that Mistral models use");
  }

  @ParameterizedTest
  @CsvSource({
    "(a+)+$, false",
    "'(a|b){2,}', false",
    "(a)\\1, false",
    "'[)+*]|\\)+| ?\\p{L}+', true"
  })
  void splitPatternsWithUnboundedTimeAreRefused(String pattern, boolean fine) throws IOException {
    ObjectNode split = json.putObject("pre_tokenizer").put("type", "Split");
    split.put("behavior", "Isolated").put("invert", false);
    split.putObject("pattern").put("Regex", pattern);
    if (fine) {
      open(SpecialTokenText.LITERAL).close();
    } else {
      assertRefused("pre_tokenizer: Split has a pattern");
    }
  }

  @Test
  void anotherModelThanBpeIsRefusedByName() throws IOException {
    ((ObjectNode) json.path("model")).put("type", "WordPiece");
    assertRefused("tokenizer.json: model.type: is WordPiece, expected BPE");
  }

  @Test
  void randomMergesAreRefused() throws IOException {
    ((ObjectNode) json.path("model")).put("dropout", 0.1);
    assertRefused("model.dropout: is 0.1: ids would be random");
  }

  @Test
  void aWordPrefixIsRefused() throws IOException {
    ((ObjectNode) json.path("model")).put("continuing_subword_prefix", "###########");
    assertRefused("model.continuing_subword_prefix: is set");
  }

  @Test
  void anIdBeyondAllVocabulariesIsRefused() throws IOException {
    ((ObjectNode) json.path("model").path("vocab")).put("zzz", 4_000_000_000L);
    assertRefused("model.vocab: a token has id 4000000000");
  }

  @Test
  void twoTokensOfOneIdAreRefused() throws IOException {
    ((ObjectNode) json.path("model").path("vocab")).put("zzz", 5);
    assertRefused("model.vocab: id 5 or its token occurs twice");
  }

  @Test
  void anAddedTokenWithAnIdThatTheLibraryWouldNotGiveIsRefused() throws IOException {
    addToken(1_000_000, "<far>", true);
    assertRefused("would get id " + json.path("model").path("vocab").size());
  }

  @Test
  void whatTheLibraryRefusesIsReportedWithTheFile() throws IOException {
    array("model", "merges").add(MAPPER.readTree("[\"zz\",\"qq\"]"));
    assertRefused("tokenizer.json: the tokenizers library refuses it");
  }

  @ParameterizedTest
  @CsvSource({
    "'', not a JSON object",
    "'[]', not a JSON object",
    "'{\"model\":', not valid JSON",
    "'{} {}', something follows",
    "'{}', model.type: is missing",
    "'{\"a\":1,\"a\":2}', key a occurs twice",
    "'{\"model\":{\"type\":\"BPE\"}}', model.vocab: missing or empty"
  })
  void whatIsNoTokenizerIsRefused(String text, String problem) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), text);
    assertThatThrownBy(() -> Tokenizer.open(folder, SpecialTokenText.LITERAL))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("tokenizer.json")
        .hasMessageContaining(problem);
  }

  @Test
  void bytesThatAreNotUtf8AreRefused() throws IOException {
    Files.write(folder.resolve("tokenizer.json"), new byte[] {'{', '"', (byte) 0xFF, '"'});
    assertThatThrownBy(() -> Tokenizer.open(folder, SpecialTokenText.LITERAL))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("not UTF-8");
  }

  @Test
  void aFileBeyondTheSizeLimitIsRefused() throws IOException {
    try (var file = new RandomAccessFile(folder.resolve("tokenizer.json").toFile(), "rw")) {
      file.setLength((256L << 20) + 1);
    }
    assertThatThrownBy(() -> Tokenizer.open(folder, SpecialTokenText.LITERAL))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("has 268435457 bytes, at most 268435456");
  }

  @Test
  void aFolderWithoutTokenizerIsRefused() {
    assertThatThrownBy(() -> Tokenizer.open(folder, SpecialTokenText.LITERAL))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("tokenizer.json: not found");
  }

  private void addToken(int id, String content, boolean special) {
    ObjectNode token = ((ArrayNode) json.path("added_tokens")).addObject();
    token.put("id", id).put("content", content).put("special", special);
    token.put("single_word", false).put("lstrip", false).put("rstrip", false);
    token.put("normalized", false);
  }

  private void addTemplatePiece(String name) {
    ObjectNode piece = array("post_processor", "single").addObject();
    piece.putObject("SpecialToken").put("id", name).put("type_id", 0);
  }

  private ArrayNode array(String section, String name) {
    return (ArrayNode) json.path(section).path(name);
  }

  private Tokenizer open(SpecialTokenText mode) throws IOException {
    MAPPER.writeValue(folder.resolve("tokenizer.json").toFile(), json);
    return Tokenizer.open(folder, mode);
  }

  private void assertRefused(String problem) {
    assertThatThrownBy(() -> open(SpecialTokenText.LITERAL).close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(problem);
  }
}
