package io.sirocco.tokenizer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A tokenizer.json, read once and checked before the Rust library sees it.
 *
 * <p>The text is scanned, not built into a tree: its vocabulary and merges may be hundreds of
 * thousands of entries. The positions found on the way allow the few changes that are needed
 * without touching the rest.
 */
final class TokenizerFile {
  /** Four times the vocabulary of the largest published tokenizers; bounds the memory taken. */
  private static final int MAX_VOCABULARY = 1 << 21;

  private static final int MAX_ADDED_TOKENS = 1 << 15;

  /** Bounds the time that looking for one takes. */
  private static final int MAX_ADDED_TOKEN_CHARS = 512;

  private static final int MAX_SECTION_CHARS = 1 << 23;
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

  /** Characters {@code start} to {@code end} of the file's text. */
  record Span(int start, int end) {}

  private final String where;
  private final String json;
  private final Map<String, Span> spans = new HashMap<>();
  private final Map<String, JsonNode> sections = new HashMap<>();
  private final Map<String, Integer> vocabulary = new HashMap<>();
  private final Map<String, String> modelSettings = new HashMap<>();
  private final List<AddedToken> addedTokens = new ArrayList<>();
  private int vocabularyStart;

  private TokenizerFile(String where, String json) {
    this.where = where;
    this.json = json;
  }

  /**
   * Scans and checks {@code json}.
   *
   * @param where the file, for errors
   * @throws ModelException if it is no tokenizer.json, or asks for something that is refused
   */
  static TokenizerFile parse(String where, String json) {
    TokenizerFile file = new TokenizerFile(where, json);
    try (JsonParser parser = MAPPER.createParser(json)) {
      file.scan(parser);
      file.readSections();
    } catch (JsonProcessingException e) {
      throw new ModelException(where, "not valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new ModelException(where, "cannot be read", e);
    }
    file.checkModel();
    file.readAddedTokens();
    PipelineRules rules = new PipelineRules(where);
    rules.checkNormalizer(file.section("normalizer"));
    rules.checkPreTokenizer(file.section("pre_tokenizer"));
    rules.checkPostProcessor(file.section("post_processor"));
    rules.checkDecoder(file.section("decoder"));
    return file;
  }

  /** A top-level section other than the model; a missing node where there is none. */
  JsonNode section(String name) {
    return sections.getOrDefault(name, MissingNode.getInstance());
  }

  /** The model's tokens and their ids, added tokens not included. */
  Map<String, Integer> vocabulary() {
    return vocabulary;
  }

  List<AddedToken> addedTokens() {
    return addedTokens;
  }

  boolean byteFallback() {
    return modelSettings.getOrDefault("byte_fallback", "").equals("true");
  }

  /** Whether a whole piece that the vocabulary has is not merged together. */
  boolean ignoresMerges() {
    return modelSettings.getOrDefault("ignore_merges", "").equals("true");
  }

  /** Largest id of the model and the added tokens, plus one. */
  int vocabSize() {
    int largest = vocabulary.values().stream().mapToInt(Integer::intValue).max().orElse(-1);
    for (AddedToken token : addedTokens) {
      largest = Math.max(largest, token.id());
    }
    return largest + 1;
  }

  /** Ids of the control tokens. */
  BitSet specialIds() {
    BitSet ids = new BitSet();
    addedTokens.stream().filter(AddedToken::special).forEach(token -> ids.set(token.id()));
    return ids;
  }

  /** Ids of the control tokens that no text may become: all but the unknown token. */
  BitSet forbiddenIds() {
    BitSet ids = specialIds();
    Integer unknown = vocabulary.get(modelSettings.getOrDefault("unk_token", ""));
    if (unknown != null) {
      ids.clear(unknown);
    }
    return ids;
  }

  /** Where an array or object of the top level lies; empty if there is none. */
  Optional<Span> span(String section) {
    return Optional.ofNullable(spans.get(section));
  }

  /** Position of the first entry of {@code model.vocab}. */
  int vocabularyStart() {
    return vocabularyStart;
  }

  /** The file's text. */
  String json() {
    return json;
  }

  private void scan(JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw new ModelException(where, "not a JSON object");
    }
    Set<String> keys = new HashSet<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = unique(keys, parser, "");
      if (parser.nextToken() == JsonToken.START_OBJECT && key.equals("model")) {
        scanModel(parser);
      } else {
        skip(parser, key);
      }
    }
    if (parser.nextToken() != null) {
      throw new ModelException(where, "something follows the JSON object");
    }
  }

  private void scanModel(JsonParser parser) throws IOException {
    Set<String> keys = new HashSet<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = unique(keys, parser, "model.");
      JsonToken value = parser.nextToken();
      if (key.equals("vocab") && value == JsonToken.START_OBJECT) {
        int start = offset(parser) - 1;
        scanVocabulary(parser);
        vocabularyStart = start + 1;
      } else if (value.isScalarValue()) {
        if (value != JsonToken.VALUE_NULL) {
          modelSettings.put(key, parser.getText());
        }
      } else {
        parser.skipChildren();
      }
    }
  }

  private void scanVocabulary(JsonParser parser) throws IOException {
    BitSet ids = new BitSet();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String token = parser.currentName();
      boolean isInteger = parser.nextToken() == JsonToken.VALUE_NUMBER_INT;
      long id = isInteger ? parser.getLongValue() : -1;
      if (id < 0 || id >= MAX_VOCABULARY) {
        throw new ModelException(
            where + ": model.vocab",
            "a token has id " + parser.getText() + ", expected 0 to " + (MAX_VOCABULARY - 1));
      }
      if (ids.get((int) id) || vocabulary.put(token, (int) id) != null) {
        throw new ModelException(
            where + ": model.vocab", "id " + id + " or its token occurs twice");
      }
      ids.set((int) id);
    }
  }

  private String unique(Set<String> keys, JsonParser parser, String prefix) throws IOException {
    String key = parser.currentName();
    if (!keys.add(key)) {
      throw new ModelException(where, "key " + prefix + key + " occurs twice");
    }
    return key;
  }

  /** Skips a value; the span of an object or array is remembered. */
  private void skip(JsonParser parser, String key) throws IOException {
    if (parser.currentToken().isStructStart()) {
      int start = offset(parser) - 1;
      parser.skipChildren();
      spans.put(key, new Span(start, offset(parser)));
    }
  }

  /** Position behind the bracket just read. */
  private static int offset(JsonParser parser) {
    return Math.toIntExact(parser.currentLocation().getCharOffset());
  }

  private void readSections() throws JsonProcessingException {
    for (String name :
        List.of("added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder")) {
      Span span = spans.get(name);
      if (span == null) {
        continue;
      }
      if (span.end() - span.start() > MAX_SECTION_CHARS) {
        throw new ModelException(
            where + ": " + name, "longer than " + MAX_SECTION_CHARS + " characters");
      }
      sections.put(name, MAPPER.readTree(json.substring(span.start(), span.end())));
    }
  }

  private void checkModel() {
    String type = modelSettings.getOrDefault("type", "missing");
    if (!type.equals("BPE")) {
      throw new ModelException(
          where + ": model.type", "is " + type + ", expected BPE, as in Mistral's tokenizers");
    }
    if (vocabulary.isEmpty()) {
      throw new ModelException(where + ": model.vocab", "missing or empty");
    }
    String dropout = modelSettings.getOrDefault("dropout", "0");
    if (!dropout.matches("0(\\.0*)?")) {
      throw new ModelException(
          where + ": model.dropout", "is " + dropout + ": ids would be random; set it to null");
    }
    for (String key : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      if (!modelSettings.getOrDefault(key, "").isEmpty()) {
        throw new ModelException(
            where + ": model." + key, "is set; Mistral's tokenizers have none, expected null");
      }
    }
  }

  private void readAddedTokens() {
    JsonNode tokens = section("added_tokens");
    if (tokens.size() > MAX_ADDED_TOKENS) {
      throw new ModelException(
          where + ": added_tokens", tokens.size() + " tokens, at most " + MAX_ADDED_TOKENS);
    }
    Set<String> contents = new HashSet<>();
    int next = vocabulary.size();
    for (JsonNode node : tokens) {
      AddedToken token = AddedToken.of(node);
      if (token.content().isEmpty() || !contents.add(token.content())) {
        throw new ModelException(
            where + ": added_tokens", node + " is empty or occurs twice; remove it");
      }
      if (token.content().length() > MAX_ADDED_TOKEN_CHARS) {
        throw new ModelException(
            where + ": added_tokens",
            "the content of id "
                + token.id()
                + " has "
                + token.content().length()
                + " characters, at most "
                + MAX_ADDED_TOKEN_CHARS);
      }
      // The library numbers tokens that the model lacks by itself, whatever the file says.
      Integer known = vocabulary.get(token.content());
      int given = known == null ? next : known;
      if (token.id() != given) {
        throw new ModelException(
            where + ": added_tokens", node + " would get id " + given + "; correct its id");
      }
      next = Math.max(next, given + 1);
      addedTokens.add(token);
    }
  }
}
