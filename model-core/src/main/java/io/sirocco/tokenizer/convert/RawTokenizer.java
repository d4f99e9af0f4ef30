package io.sirocco.tokenizer.convert;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.tokenizer.convert.SentencePieceModel.PieceType;
import io.sirocco.tokenizer.convert.SentencePieceTokenizer.Spaces;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A tokenizer.model or tekken.json that has been read and checked. Immutable. */
public final class RawTokenizer {
  /** Of what a tokenizer.json may have. */
  private static final int MAX_ADDED = 1 << 15;

  private static final String INSTRUCTION = "[INST]";

  /** Control tokens that only generations after v3 have. */
  private static final String SYSTEM_PROMPT = "[SYSTEM_PROMPT]";

  private final String where;
  private final TokenizerParts parts;
  private final Generation generation;
  private final String reason;
  private final Map<String, String> specialTokens;

  private RawTokenizer(
      String where,
      TokenizerParts parts,
      Generation generation,
      String reason,
      Map<String, String> specialTokens) {
    this.where = where;
    this.parts = parts;
    this.generation = generation;
    this.reason = reason;
    this.specialTokens = specialTokens;
    if (parts.added().size() > MAX_ADDED) {
      throw new ModelException(
          where,
          "has "
              + parts.added().size()
              + " control and user-defined tokens, at most "
              + MAX_ADDED
              + " are read");
    }
  }

  /**
   * @param where the file, for errors
   * @param legacy the key of that name in tokenizer_config.json; where empty, as published with the
   *     generation
   */
  static RawTokenizer ofSentencePiece(String where, byte[] file, Optional<Boolean> legacy) {
    SentencePieceModel model = SentencePieceModel.parse(where, file);
    Generation generation = Generation.V1;
    String reason = "has no control token " + INSTRUCTION;
    if (isControl(model, SYSTEM_PROMPT)) {
      generation = Generation.LATER;
      reason = "has the control token " + SYSTEM_PROMPT;
    } else if (isControl(model, INSTRUCTION)) {
      generation = Generation.V3;
      reason = "has the control token " + INSTRUCTION;
    }
    boolean everywhere = legacy.orElse(generation == Generation.V1);
    TokenizerParts parts =
        SentencePieceTokenizer.parts(
            where, model, everywhere ? Spaces.EVERYWHERE : Spaces.AT_THE_START, file.length);
    Map<String, String> tokens = new LinkedHashMap<>();
    tokens.put("bos_token", parts.tokens().get(model.beginning()));
    tokens.put("eos_token", parts.tokens().get(model.end()));
    tokens.put("unk_token", parts.tokens().get(model.unknown()));
    return new RawTokenizer(where, parts, generation, reason, tokens);
  }

  private static boolean isControl(SentencePieceModel model, String token) {
    Integer id = model.ids().get(token);
    return id != null && model.pieces().get(id).type() == PieceType.CONTROL;
  }

  /** {@code where} is the file, for errors. */
  static RawTokenizer ofTekken(String where, byte[] bytes) {
    TekkenFile file = TekkenFile.parse(where, bytes);
    TokenizerParts parts = TekkenTokenizer.parts(where, file, bytes.length);
    Map<String, String> tokens = new LinkedHashMap<>();
    tokens.put("bos_token", TekkenTokenizer.BEGINNING);
    for (String[] named :
        new String[][] {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}}) {
      if (file.special().contains(named[1])) {
        tokens.put(named[0], named[1]);
      }
    }
    return new RawTokenizer(
        where,
        parts,
        file.version().equals("v3") ? Generation.TEKKEN_V3 : Generation.LATER,
        "has version " + file.version(),
        tokens);
  }

  /** The file it was read from. */
  public String where() {
    return where;
  }

  /** The text of the tokenizer.json that it becomes. */
  public String json() {
    return TokenizerJsonWriter.write(parts);
  }

  /** Which of Mistral's tokenizers it is, for how it writes conversations. */
  public Generation generation() {
    return generation;
  }

  /** One line on the chat template that its generation brings, and why. */
  public String chatTemplateNote() {
    String why = ": the folder has none, and " + where + " " + reason;
    return generation.chatTemplate().isPresent()
        ? "chat template of generation " + generation.label() + ", written by Sirocco" + why
        : "no chat template" + why + ", whose generation writes them for each model anew";
  }

  /** Texts of the special tokens by the names that templates have for them. */
  public Map<String, String> specialTokens() {
    return specialTokens;
  }
}
