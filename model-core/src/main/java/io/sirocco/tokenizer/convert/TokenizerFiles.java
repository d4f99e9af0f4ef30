package io.sirocco.tokenizer.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.Json;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.RawTokenizers;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The tokenizer of a model's folder, where it is there in Mistral's own form only. */
public final class TokenizerFiles {
  /** Four times the size of the largest published one. */
  private static final long MAX_TEKKEN = 80L << 20;

  /** Published tokenizer.model files have up to 0.6 MB. */
  private static final long MAX_SENTENCE_PIECE = 16L << 20;

  private static final long MAX_CONFIG = 16L << 20;
  private static final String CONFIG = "tokenizer_config.json";
  private static final String TEMPLATE = "chat_template.jinja";
  private static final String TOOL_TEMPLATE = "additional_chat_templates/tool_use.jinja";
  private static final String TEMPLATE_KEY = "chat_template";
  private static final List<String> AS_THEY_ARE =
      List.of(RawTokenizers.CONVERTED, CONFIG, "special_tokens_map.json", TEMPLATE, TOOL_TEMPLATE);

  /** What transformers writes where a tokenizer knows no limit: 10^30, through a double. */
  private static final BigInteger NO_LIMIT = new BigInteger("1000000000000000019884624838656");

  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private TokenizerFiles() {}

  /**
   * Reads the raw tokenizer of a folder: tekken.json, or else tokenizer.model.
   *
   * @return empty if the folder has a tokenizer.json, which is what counts then, or no tokenizer
   * @throws ModelException if the file cannot be read, or is refused
   */
  public static Optional<RawTokenizer> open(Path folder) {
    Optional<String> name = RawTokenizers.among(file -> Files.isRegularFile(folder.resolve(file)));
    return name.map(file -> open(folder, file));
  }

  private static RawTokenizer open(Path folder, String name) {
    Path file = folder.resolve(name);
    if (name.equals(RawTokenizers.TEKKEN)) {
      return RawTokenizer.ofTekken(file.toString(), read(file, MAX_TEKKEN));
    }
    JsonNode legacy = config(folder).map(json -> json.path("legacy")).orElse(null);
    return RawTokenizer.ofSentencePiece(
        file.toString(),
        read(file, MAX_SENTENCE_PIECE),
        legacy != null && legacy.isBoolean()
            ? Optional.of(legacy.booleanValue())
            : Optional.empty());
  }

  /**
   * Writes the tokenizer of folder {@code from} into folder {@code to}, which may be the same:
   * tokenizer.json, tokenizer_config.json and a chat template. What {@code from} has of these stays
   * as it is, and is copied; the rest is made. Files that {@code to} already has are replaced.
   *
   * <p>File by file: a caller that needs all of them or none writes into a folder of its own first.
   *
   * @return what was done, a line for each step, for people; empty if {@code from} has no tokenizer
   * @throws ModelException if the tokenizer of {@code from} is refused
   * @throws IOException if a file cannot be copied or written
   */
  public static List<String> write(Path from, Path to) throws IOException {
    List<String> done = new ArrayList<>();
    Optional<RawTokenizer> raw = open(from);
    if (!Files.exists(to) || !Files.isSameFile(from, to)) {
      Files.createDirectories(to);
      copy(from, to, done);
    }
    if (raw.isPresent()) {
      write(raw.get(), from, to, done);
    }
    return done;
  }

  private static void copy(Path from, Path to, List<String> done) throws IOException {
    for (String name : AS_THEY_ARE) {
      if (Files.isRegularFile(from.resolve(name))) {
        Files.createDirectories(to.resolve(name).getParent());
        Files.copy(from.resolve(name), to.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        done.add(name + ": copied");
      }
    }
  }

  private static void write(RawTokenizer raw, Path from, Path to, List<String> done)
      throws IOException {
    Files.writeString(to.resolve(RawTokenizers.CONVERTED), raw.json());
    done.add(RawTokenizers.CONVERTED + ": made of " + raw.where());
    if (!Files.isRegularFile(from.resolve(CONFIG))) {
      Files.writeString(to.resolve(CONFIG), MAPPER.writeValueAsString(configOf(raw)) + "\n");
      done.add(CONFIG + ": made of " + raw.where());
    }
    if (hasChatTemplate(from)) {
      return;
    }
    Optional<String> template = raw.generation().chatTemplate();
    if (template.isPresent()) {
      Files.writeString(to.resolve(TEMPLATE), template.get());
    }
    done.add(TEMPLATE + ": " + raw.chatTemplateNote());
  }

  /**
   * Whether a folder itself says how conversations are written.
   *
   * @throws ModelException if its tokenizer_config.json cannot be read
   */
  public static boolean hasChatTemplate(Path folder) {
    return Files.isRegularFile(folder.resolve(TEMPLATE))
        || Files.isRegularFile(folder.resolve(TOOL_TEMPLATE))
        || config(folder).filter(json -> json.hasNonNull(TEMPLATE_KEY)).isPresent();
  }

  private static ObjectNode configOf(RawTokenizer raw) {
    ObjectNode config = MAPPER.createObjectNode();
    config.put("add_bos_token", true);
    config.put("add_eos_token", false);
    raw.specialTokens().forEach(config::put);
    config.put("clean_up_tokenization_spaces", false);
    config.put("model_max_length", NO_LIMIT);
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    return config;
  }

  private static Optional<JsonNode> config(Path folder) {
    Path file = folder.resolve(CONFIG);
    return Files.isRegularFile(file)
        ? Optional.of(Json.readObject(file, MAX_CONFIG))
        : Optional.empty();
  }

  private static byte[] read(Path file, long most) {
    try (InputStream in = Files.newInputStream(file)) {
      long size = Files.size(file);
      if (size > most) {
        throw new ModelException(
            file.toString(), "has " + size + " bytes, at most " + most + " are read");
      }
      return in.readNBytes((int) size);
    } catch (IOException e) {
      throw new ModelException(file.toString(), "cannot be read: " + e, e);
    }
  }
}
