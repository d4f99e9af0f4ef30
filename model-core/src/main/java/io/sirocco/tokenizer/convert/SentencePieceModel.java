package io.sirocco.tokenizer.convert;

import io.sirocco.checkpoint.ModelException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A SentencePiece model file, of the kind that Mistral's are: a byte-pair encoding of the text as
 * it is, with a space in front, and bytes for what has no piece.
 *
 * @param pieces by id
 * @param ids of the pieces, by their text
 * @param unknown id of the piece for what no other is
 * @param beginning id of the piece in front of a text
 * @param end id of the piece behind an answer
 */
record SentencePieceModel(
    List<Piece> pieces, Map<String, Integer> ids, int unknown, int beginning, int end) {
  /** Published vocabularies have up to 32768 pieces. */
  private static final int MAX_PIECES = 1 << 20;

  /** What a piece is for. A file may also have unused pieces (5); Mistral's have none. */
  enum PieceType {
    NORMAL(1),
    UNKNOWN(2),
    CONTROL(3),
    USER_DEFINED(4),
    BYTE(6);

    private final int number;

    PieceType(int number) {
      this.number = number;
    }

    /** The type that has this number in a file. */
    static Optional<PieceType> of(long number) {
      return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
    }
  }

  /**
   * An entry of the vocabulary.
   *
   * @param score the higher, the earlier is the piece put together; finite
   */
  record Piece(String text, float score, PieceType type) {}

  /**
   * Reads a model file.
   *
   * @param where the file, for errors
   * @throws ModelException if it is none, or would make other tokens than Mistral's do
   */
  static SentencePieceModel parse(String where, byte[] file) {
    return new Parser(where).parse(new WireReader(where, file));
  }

  private static final class Parser {
    private static final int UNIGRAM = 1;
    private static final int BPE = 2;

    private final String where;
    private final List<Piece> pieces = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();

    // What a field that the file leaves out means.
    private long algorithm = UNIGRAM;
    private boolean bytesForUnknown;
    private boolean spaceBehind;
    private boolean spaceInFront = true;
    private boolean squeezesSpace = true;
    private boolean escapesSpace = true;
    private boolean normalizes;
    private long unknown;
    private long beginning = 1;
    private long end = 2;

    Parser(String where) {
      this.where = where;
    }

    SentencePieceModel parse(WireReader model) {
      while (model.next()) {
        switch (model.field()) {
          case 1 -> piece(model.inner());
          case 2 -> trainer(model.inner());
          case 3 -> normalizer(model.inner());
          case 5 -> denormalizer(model.inner());
          default -> {
            // Self-tests and what later versions may add say nothing about ids.
          }
        }
      }
      check();
      return new SentencePieceModel(
          pieces,
          ids,
          special("unk_id", unknown, PieceType.UNKNOWN),
          special("bos_id", beginning, PieceType.CONTROL),
          special("eos_id", end, PieceType.CONTROL));
    }

    private void piece(WireReader fields) {
      String text = "";
      float score = 0;
      long type = 1;
      while (fields.next()) {
        switch (fields.field()) {
          case 1 -> text = fields.text();
          case 2 -> score = fields.number();
          case 3 -> type = fields.integer();
          default -> {
            // Says nothing about ids.
          }
        }
      }
      int id = pieces.size();
      if (text.isEmpty() || text.length() > Merges.MAX_TOKEN) {
        throw refused(
            "piece " + id + " has " + text.length() + " characters", "1 to " + Merges.MAX_TOKEN);
      }
      Optional<PieceType> known = PieceType.of(type);
      if (known.isEmpty()) {
        throw refused("piece " + id + " has type " + type, "1, 2, 3, 4 or 6");
      }
      if (!Float.isFinite(score)) {
        throw refused("piece " + id + " has score " + score, "a finite one");
      }
      if (ids.put(text, id) != null) {
        throw refused("piece " + id + " occurs a second time", "distinct pieces");
      }
      if (id == MAX_PIECES) {
        throw refused("there are more than " + MAX_PIECES + " pieces", "fewer");
      }
      // Adding zero makes one of the two zeros: they are equal scores.
      pieces.add(new Piece(text, score + 0.0f, known.get()));
    }

    private void trainer(WireReader fields) {
      while (fields.next()) {
        switch (fields.field()) {
          case 3 -> algorithm = fields.integer();
          case 24 -> spaceBehind = fields.truth();
          case 35 -> bytesForUnknown = fields.truth();
          case 40 -> unknown = fields.integer();
          case 41 -> beginning = fields.integer();
          case 42 -> end = fields.integer();
          default -> {
            // How the pieces were found.
          }
        }
      }
    }

    private void normalizer(WireReader fields) {
      while (fields.next()) {
        switch (fields.field()) {
          case 2, 6 -> normalizes |= fields.size() > 0;
          case 3 -> spaceInFront = fields.truth();
          case 4 -> squeezesSpace = fields.truth();
          case 5 -> escapesSpace = fields.truth();
          default -> {
            // The name of the rules that field 2 holds.
          }
        }
      }
    }

    private void denormalizer(WireReader fields) {
      while (fields.next()) {
        if (fields.field() == 2) {
          normalizes |= fields.size() > 0;
        }
      }
    }

    /** What the steps of the tokenizer.json take for granted. */
    private void check() {
      require(!pieces.isEmpty(), "it holds no piece");
      require(algorithm == BPE, "trainer_spec.model_type is " + algorithm + ", not BPE (2)");
      require(bytesForUnknown, "trainer_spec.byte_fallback is off");
      require(!spaceBehind, "trainer_spec.treat_whitespace_as_suffix is on");
      require(!normalizes, "it has rules that change the text, expected the identity");
      require(spaceInFront, "normalizer_spec.add_dummy_prefix is off");
      require(!squeezesSpace, "normalizer_spec.remove_extra_whitespaces is on");
      require(escapesSpace, "normalizer_spec.escape_whitespaces is off");
      for (int b = 0; b < 256; b++) {
        String name = String.format("<0x%02X>", b);
        Integer id = ids.get(name);
        require(
            id != null && pieces.get(id).type() == PieceType.BYTE,
            "it has no piece of type byte for " + name);
      }
    }

    private void require(boolean isMet, String otherwise) {
      if (!isMet) {
        throw refused(otherwise, "a tokenizer like Mistral's");
      }
    }

    private int special(String name, long id, PieceType type) {
      if (id < 0 || id >= pieces.size() || pieces.get((int) id).type() != type) {
        throw refused("trainer_spec." + name + " is " + id, "the id of a piece of type " + type);
      }
      return (int) id;
    }

    private ModelException refused(String found, String expected) {
      return new ModelException(
          where, found + "; expected " + expected + ". Use the publisher's tokenizer.json instead");
    }
  }
}
