package io.sirocco.engine;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.JsonFields;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.tokenizer.Encoding;
import io.sirocco.tokenizer.Tokenizer;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The end-of-sequence token of a model that embeds, and whether it belongs behind each text.
 *
 * <p>Models whose last token is pooled were trained with it. Their tokenizer.json need not add it:
 * transformers 4 did, where {@code add_eos_token} of tokenizer_config.json is true; transformers 5
 * drops that key, and embeds another token.
 *
 * @param name as the folder has it; empty if it names none
 * @param id if the folder names one that the tokenizer has
 * @param isAdded whether the tokenizer adds it by itself
 * @param wanted whether the folder says that it belongs there; empty if it says nothing
 */
record EndToken(String name, OptionalInt id, boolean isAdded, Optional<Boolean> wanted) {
  private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  private static final String EOS_TOKEN = "eos_token";
  private static final String EOS_TOKEN_ID = "eos_token_id";

  static EndToken of(Checkpoint checkpoint, Tokenizer tokenizer) {
    Optional<JsonFields> config =
        checkpoint
            .json(TOKENIZER_CONFIG)
            .map(
                json ->
                    new JsonFields(json, checkpoint.folder().resolve(TOKENIZER_CONFIG).toString()));
    String name = config.map(EndToken::name).orElse("");
    OptionalInt id =
        name.isEmpty() ? idOf(checkpoint.config().path(EOS_TOKEN_ID)) : tokenizer.idOf(name);
    Encoding any = tokenizer.encode("");
    boolean added =
        any.suffix() > 0 && id.isPresent() && any.ids()[any.length() - 1] == id.getAsInt();
    boolean asked = config.map(fields -> fields.flag("add_eos_token", false)).orElse(false);
    return new EndToken(name, id, added, asked || added ? Optional.of(true) : Optional.empty());
  }

  /** A string, or an object that describes the token; empty where none is named. */
  private static String name(JsonFields config) {
    JsonNode token = config.object().path(EOS_TOKEN);
    JsonNode text = token.isObject() ? token.path("content") : token;
    return text.isNull() ? "" : text.asText();
  }

  /** A number, or a list of them, the first of which ends a text. */
  private static OptionalInt idOf(JsonNode ids) {
    JsonNode first = ids.isArray() ? ids.path(0) : ids;
    return first.canConvertToInt() && first.isIntegralNumber()
        ? OptionalInt.of(first.asInt())
        : OptionalInt.empty();
  }

  /** For people. */
  String shown() {
    return name.isEmpty() ? "the end-of-sequence token" : name;
  }

  /**
   * Its id, of a model of so many tokens.
   *
   * @throws ModelException if the folder names none, or one that tokenizer or model do not have
   */
  int required(int vocabSize) {
    if (id.isEmpty()) {
      throw problem(
          name.isEmpty()
              ? "the model's folder names no end-of-sequence token; expected eos_token in"
                  + " tokenizer_config.json, or eos_token_id in config.json"
              : "eos_token of tokenizer_config.json is "
                  + SentenceTransformer.shown(name)
                  + ", which is no token of the tokenizer; name one that is, or set"
                  + " embed.append-eos: false");
    }
    if (id.getAsInt() < 0 || id.getAsInt() >= vocabSize) {
      throw problem(
          "the end-of-sequence token of the model's folder is %d, but the model knows 0 to %d; name"
                  .formatted(id.getAsInt(), vocabSize - 1)
              + " another, or set embed.append-eos: false");
    }
    return id.getAsInt();
  }

  private static ModelException problem(String what) {
    return new ModelException("embed.append-eos", "is true, but " + what);
  }
}
