package io.sirocco.tokenizer.convert;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.sirocco.checkpoint.ModelException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A tekken.json, read token by token: a vocabulary of byte strings in the order of their ranks, the
 * pattern that cuts text into words, and the control tokens that precede the vocabulary.
 *
 * @param version of the format, such as {@code v3}
 * @param pattern a regular expression
 * @param special control tokens by id; the id of the token of rank r is r + their number
 * @param tokens by rank, each byte as its character of {@link ByteLevelAlphabet}
 */
record TekkenFile(String version, String pattern, List<String> special, List<String> tokens) {
  private static final int MAX_NESTING = 32;
  private static final int MAX_STRING = 1 << 16;
  private static final int MAX_NUMBER = 64;

  /** Of what a tokenizer.json may have here. */
  private static final int MAX_SPECIAL = 1 << 15;

  private static final int BYTES = 256;

  /** Characters of a value in a message. */
  private static final int SHOWN = 40;

  /** Those of files that do not name them, by id. */
  private static final List<String> UNNAMED_FILES_SPECIAL =
      List.of(
          "<unk>",
          "<s>",
          "</s>",
          "[INST]",
          "[/INST]",
          "[AVAILABLE_TOOLS]",
          "[/AVAILABLE_TOOLS]",
          "[TOOL_RESULTS]",
          "[/TOOL_RESULTS]",
          "[TOOL_CALLS]",
          "[IMG]",
          "<pad>",
          "[IMG_BREAK]",
          "[IMG_END]",
          "[PREFIX]",
          "[MIDDLE]",
          "[SUFFIX]",
          "[SYSTEM_PROMPT]",
          "[/SYSTEM_PROMPT]",
          "[TOOL_CONTENT]");

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_NESTING)
                  .maxStringLength(MAX_STRING)
                  .maxNumberLength(MAX_NUMBER)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  /**
   * Reads a tekken.json.
   *
   * @param where the file, for errors
   * @throws ModelException if it is none, or its parts contradict each other
   */
  static TekkenFile parse(String where, byte[] file) {
    Parser parser = new Parser(where);
    // Strict, where Jackson would guess an encoding.
    InputStreamReader text =
        new InputStreamReader(new ByteArrayInputStream(file), StandardCharsets.UTF_8.newDecoder());
    try (JsonParser json = JSON.createParser(text)) {
      return parser.parse(json);
    } catch (IOException e) {
      throw new ModelException(where, "is not valid JSON: " + firstLine(e.getMessage()), e);
    }
  }

  private static String firstLine(String message) {
    return String.valueOf(message).lines().findFirst().orElse("");
  }

  private static final class Parser {
    private final String where;
    private final List<String> tokens = new ArrayList<>();
    private final List<String> named = new ArrayList<>();
    private boolean namesSpecial;
    private String version = "v3";
    private String pattern = "";
    private int vocabulary = -1;
    private int specialCount = -1;

    Parser(String where) {
      this.where = where;
    }

    TekkenFile parse(JsonParser json) throws IOException {
      require(json.nextToken() == JsonToken.START_OBJECT, "is not a JSON object");
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        JsonToken value = json.nextToken();
        if (key.equals("config") && value == JsonToken.START_OBJECT) {
          config(json);
        } else if (key.equals("vocab") && value == JsonToken.START_ARRAY) {
          tokens(json);
        } else if (key.equals("special_tokens") && value == JsonToken.START_ARRAY) {
          namesSpecial = true;
          special(json);
        } else {
          // Pictures and sound have no part in text.
          json.skipChildren();
        }
      }
      require(json.nextToken() == null, "something follows the JSON object");
      return checked();
    }

    private void config(JsonParser json) throws IOException {
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        json.nextToken();
        switch (key) {
          case "pattern" -> pattern = text(json, "config.pattern");
          case "version" -> version = text(json, "config.version");
          case "default_vocab_size" -> vocabulary = count(json, "config.default_vocab_size");
          case "default_num_special_tokens" ->
              specialCount = count(json, "config.default_num_special_tokens");
          default -> json.skipChildren();
        }
      }
    }

    private void tokens(JsonParser json) throws IOException {
      while (json.nextToken() == JsonToken.START_OBJECT) {
        int rank = tokens.size();
        String place = "vocab[" + rank + "]";
        String token = token(ranked(json, rank, place, "token_bytes"), place);
        require(
            !token.isEmpty() && token.length() <= Merges.MAX_TOKEN,
            place + " has " + token.length() + " bytes; expected 1 to " + Merges.MAX_TOKEN);
        require(
            rank >= BYTES || token.equals(String.valueOf(ByteLevelAlphabet.character(rank))),
            place + " is not byte " + rank + "; expected the 256 bytes first, in order");
        tokens.add(token);
      }
      require(json.currentToken() == JsonToken.END_ARRAY, "vocab holds more than objects");
    }

    /**
     * The text in {@code field} of the object at hand, which must have that rank; empty if none.
     */
    private String ranked(JsonParser json, int rank, String place, String field)
        throws IOException {
      boolean isRanked = false;
      String text = "";
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        json.nextToken();
        if (key.equals("rank")) {
          isRanked = count(json, place + ".rank") == rank;
        } else if (key.equals(field)) {
          text = text(json, place + "." + field);
        } else {
          json.skipChildren();
        }
      }
      require(isRanked, place + " has another rank, or none; expected " + rank);
      return text;
    }

    /** The bytes in base64, as characters. */
    private String token(String base64, String place) {
      byte[] bytes;
      try {
        bytes = Base64.getDecoder().decode(base64);
      } catch (IllegalArgumentException e) {
        throw new ModelException(where, place + ".token_bytes is not base64", e);
      }
      StringBuilder token = new StringBuilder(bytes.length);
      for (byte b : bytes) {
        token.append(ByteLevelAlphabet.character(b & 0xFF));
      }
      return token.toString();
    }

    private void special(JsonParser json) throws IOException {
      while (json.nextToken() == JsonToken.START_OBJECT) {
        int rank = named.size();
        String place = "special_tokens[" + rank + "]";
        String token = ranked(json, rank, place, "token_str");
        require(
            !token.isEmpty() && token.length() <= Merges.MAX_TOKEN,
            place + " has " + token.length() + " characters; expected 1 to " + Merges.MAX_TOKEN);
        named.add(token);
      }
      require(json.currentToken() == JsonToken.END_ARRAY, "special_tokens holds more than objects");
    }

    private TekkenFile checked() {
      require(!pattern.isEmpty(), "config.pattern is missing");
      require(
          specialCount > 0 && specialCount <= MAX_SPECIAL,
          "config.default_num_special_tokens is "
              + specialCount
              + "; expected 1 to "
              + MAX_SPECIAL);
      int ranked = vocabulary - specialCount;
      require(
          ranked >= BYTES && ranked <= tokens.size(),
          "config.default_vocab_size is "
              + vocabulary
              + ", of which "
              + specialCount
              + " are special tokens; expected "
              + BYTES
              + " to "
              + tokens.size()
              + " others, those of vocab");
      List<String> special = new ArrayList<>(namesSpecial ? named : UNNAMED_FILES_SPECIAL);
      require(
          !namesSpecial || special.size() <= specialCount,
          "special_tokens has " + special.size() + " tokens; expected at most " + specialCount);
      while (special.size() < specialCount) {
        special.add("<SPECIAL_" + special.size() + ">");
      }
      return new TekkenFile(
          version, pattern, special.subList(0, specialCount), tokens.subList(0, ranked));
    }

    private int count(JsonParser json, String place) throws IOException {
      require(
          json.currentToken() == JsonToken.VALUE_NUMBER_INT
              && json.getNumberType() == JsonParser.NumberType.INT
              && json.getIntValue() >= 0,
          place + " is " + shown(json) + "; expected a number of 0 to 2147483647");
      return json.getIntValue();
    }

    private String text(JsonParser json, String place) throws IOException {
      require(
          json.currentToken() == JsonToken.VALUE_STRING,
          place + " is " + shown(json) + "; expected a string");
      return json.getText();
    }

    private static String shown(JsonParser json) throws IOException {
      String text = json.currentToken().isScalarValue() ? json.getText() : "not one value";
      return text.substring(0, Math.min(text.length(), SHOWN));
    }

    private void require(boolean isMet, String otherwise) {
      if (!isMet) {
        throw new ModelException(where, otherwise);
      }
    }
  }
}
