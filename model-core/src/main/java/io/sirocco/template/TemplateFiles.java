package io.sirocco.template;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.template.ChatTemplate.Variant;
import io.sirocco.tokenizer.convert.RawTokenizer;
import io.sirocco.tokenizer.convert.TokenizerFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds a model folder's chat templates and the texts of its special tokens. */
final class TemplateFiles {
  private static final int MAX_BYTES = 16 << 20;
  private static final String CONFIG = "tokenizer_config.json";
  private static final String TOKENS_MAP = "special_tokens_map.json";
  private static final String TEMPLATE = "chat_template.jinja";
  private static final String KEY = "chat_template";
  private static final String DEFAULT = "default";
  private static final String TOOL_USE = "tool_use";
  private static final Path TOOL_USE_FILE = Path.of("additional_chat_templates", "tool_use.jinja");
  private static final List<String> TOKENS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "pad_token",
          "sep_token",
          "cls_token",
          "mask_token");
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(32).build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Path folder;
  private final JsonNode config;
  private final JsonNode tokensMap;

  private TemplateFiles(Path folder) {
    this.folder = folder;
    this.config = readObject(CONFIG);
    this.tokensMap = readObject(TOKENS_MAP);
  }

  static Optional<ChatTemplate> open(Path folder) {
    TemplateFiles files = new TemplateFiles(folder);
    Map<String, Variant> variants = files.variants();
    Map<String, String> tokens = new HashMap<>();
    if (variants.isEmpty()) {
      files.addThoseOfTheGeneration(variants, tokens);
    }
    if (variants.isEmpty()) {
      return Optional.empty();
    }
    tokens.putAll(files.specialTokens());
    variants.values().forEach(variant -> files.checkTokens(variant, tokens));
    return Optional.of(
        new ChatTemplate(
            variants.get(DEFAULT),
            Optional.ofNullable(variants.get(TOOL_USE)),
            tokens,
            Limits.DEFAULT));
  }

  /** A raw release has neither a template nor names for its tokens; its tokenizer implies both. */
  private void addThoseOfTheGeneration(Map<String, Variant> variants, Map<String, String> tokens) {
    Optional<RawTokenizer> raw = TokenizerFiles.open(folder);
    Optional<String> source = raw.flatMap(tokenizer -> tokenizer.generation().chatTemplate());
    if (source.isPresent()) {
      String where = "chat template of generation " + raw.get().generation().label();
      variants.put(DEFAULT, Variant.parse(where, source.get()));
      tokens.putAll(raw.get().specialTokens());
    }
  }

  /** As transformers: files of their own replace what tokenizer_config.json says. */
  private Map<String, Variant> variants() {
    Map<String, String> sources = new LinkedHashMap<>();
    Map<String, String> places = new HashMap<>();
    read(Path.of(TEMPLATE)).ifPresent(source -> sources.put(DEFAULT, source));
    places.put(DEFAULT, folder.resolve(TEMPLATE).toString());
    read(TOOL_USE_FILE).ifPresent(source -> sources.put(TOOL_USE, source));
    places.put(TOOL_USE, folder.resolve(TOOL_USE_FILE).toString());
    if (sources.isEmpty()) {
      sources.putAll(configured());
      places.replaceAll((name, place) -> folder.resolve(CONFIG).toString());
    }
    if (!sources.isEmpty() && !sources.containsKey(DEFAULT)) {
      throw new ModelException(
          folder.resolve(CONFIG).toString(),
          KEY + " has no template named \"" + DEFAULT + "\"; found " + sources.keySet());
    }
    Map<String, Variant> variants = new LinkedHashMap<>();
    sources.forEach(
        (name, source) -> {
          if (places.containsKey(name)) {
            variants.put(name, Variant.parse(places.get(name), source));
          }
        });
    return variants;
  }

  /** The templates of tokenizer_config.json by name. */
  private Map<String, String> configured() {
    JsonNode node = config.path(KEY);
    if (node.isMissingNode() || node.isNull()) {
      return Map.of();
    }
    if (node.isTextual()) {
      return Map.of(DEFAULT, node.textValue());
    }
    Map<String, String> found = new LinkedHashMap<>();
    boolean wellFormed = node.isArray();
    for (JsonNode entry : node) {
      wellFormed &= entry.path("name").isTextual() && entry.path("template").isTextual();
      found.put(entry.path("name").asText(), entry.path("template").asText());
    }
    if (!wellFormed || found.size() != node.size()) {
      throw new ModelException(
          folder.resolve(CONFIG).toString(),
          KEY + " is neither a string nor a list of {\"name\", \"template\"} with distinct names");
    }
    return found;
  }

  private Map<String, String> specialTokens() {
    Map<String, String> tokens = new HashMap<>();
    for (String name : TOKENS) {
      boolean isConfigured = config.has(name);
      JsonNode node = isConfigured ? config.path(name) : tokensMap.path(name);
      JsonNode text = node.isObject() ? node.path("content") : node;
      if (text.isTextual()) {
        tokens.put(name, text.textValue());
      } else if (!node.isNull() && !node.isMissingNode()) {
        throw new ModelException(
            folder.resolve(isConfigured ? CONFIG : TOKENS_MAP).toString(),
            name + " is neither a string nor an object with \"content\"");
      }
    }
    return tokens;
  }

  /** A token that is null is undefined on purpose; one that no file mentions is missing. */
  private void checkTokens(Variant variant, Map<String, String> tokens) {
    Set<String> missing = new HashSet<>(TOKENS);
    missing.retainAll(variant.program().names());
    missing.removeAll(tokens.keySet());
    missing.removeIf(name -> config.has(name) || tokensMap.has(name));
    if (!missing.isEmpty()) {
      throw new ModelException(
          variant.where(),
          "the chat template uses "
              + missing
              + ", which neither "
              + CONFIG
              + " nor "
              + TOKENS_MAP
              + " gives; add it there, or null if there is none");
    }
  }

  private JsonNode readObject(String name) {
    Optional<String> json = read(Path.of(name));
    if (json.isEmpty()) {
      return MissingNode.getInstance();
    }
    String where = folder.resolve(name).toString();
    try {
      JsonNode root = MAPPER.readTree(json.get());
      if (!root.isObject()) {
        throw new ModelException(where, "is not a JSON object");
      }
      return root;
    } catch (JsonProcessingException e) {
      throw new ModelException(where, "is not valid JSON: " + e.getOriginalMessage(), e);
    }
  }

  private Optional<String> read(Path name) {
    Path file = folder.resolve(name);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new ModelException(file.toString(), "holds more than " + MAX_BYTES + " bytes");
      }
      return Optional.of(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      throw new ModelException(file.toString(), "is not UTF-8", e);
    } catch (IOException e) {
      throw new ModelException(file.toString(), "cannot be read: " + e, e);
    }
  }
}
