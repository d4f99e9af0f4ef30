package io.sirocco.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * JSON of untrusted files: bounded in size and nesting, strict UTF-8, no key twice, nothing behind
 * the value.
 */
public final class Json {
  private static final int MAX_NESTING = 32;
  private static final int MAX_NUMBER_CHARACTERS = 64;

  /**
   * A tree takes up to 80 bytes of heap for each, and some of three characters of the file. A
   * model's header has about 15 for each tensor.
   */
  private static final long MAX_TOKENS = 4_000_000;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_NESTING)
                          .maxNumberLength(MAX_NUMBER_CHARACTERS)
                          .maxTokenCount(MAX_TOKENS)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .build();

  private Json() {}

  /**
   * The object in a file of at most {@code maxBytes}.
   *
   * @throws ModelException if the file cannot be read, is larger, or holds no such object
   */
  public static JsonNode readObject(Path file, long maxBytes) {
    return parseObject(file.toString(), bytes(file, maxBytes));
  }

  /** As {@link #readObject}, an array. */
  static JsonNode readArray(Path file, long maxBytes) {
    JsonNode root = parse(file.toString(), bytes(file, maxBytes));
    if (root == null || !root.isArray()) {
      throw new ModelException(file.toString(), "is not a JSON array");
    }
    return root;
  }

  private static byte[] bytes(Path file, long maxBytes) {
    try {
      long size = Files.size(file);
      if (size > maxBytes) {
        throw new ModelException(
            file.toString(), "holds " + size + " bytes, expected at most " + maxBytes);
      }
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new ModelException(file.toString(), "cannot be read: " + e, e);
    }
  }

  /** The object in {@code bytes}; {@code where} names them in errors. */
  static JsonNode parseObject(String where, byte[] bytes) {
    JsonNode root = parse(where, bytes);
    if (root == null || !root.isObject()) {
      throw new ModelException(where, "is not a JSON object");
    }
    return root;
  }

  private static JsonNode parse(String where, byte[] bytes) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      try (JsonParser parser = MAPPER.createParser(text)) {
        return MAPPER.readTree(parser);
      }
    } catch (CharacterCodingException e) {
      throw new ModelException(where, "is not UTF-8", e);
    } catch (IOException e) {
      throw new ModelException(where, "is not valid JSON: " + firstLine(e.getMessage()), e);
    }
  }

  private static String firstLine(String message) {
    return String.valueOf(message).lines().findFirst().orElse("");
  }
}
