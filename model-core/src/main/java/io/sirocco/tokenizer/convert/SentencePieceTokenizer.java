package io.sirocco.tokenizer.convert;

import io.sirocco.tokenizer.convert.SentencePieceModel.Piece;
import io.sirocco.tokenizer.convert.SentencePieceModel.PieceType;
import io.sirocco.tokenizer.convert.TokenizerParts.Added;
import io.sirocco.tokenizer.convert.TokenizerParts.Model;
import io.sirocco.tokenizer.convert.TokenizerParts.Steps;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** A SentencePiece model as a tokenizer.json, as transformers' LlamaConverter makes it. */
final class SentencePieceTokenizer {
  /** Where a text's spaces are put in place; transformers calls them legacy and not. */
  enum Spaces {
    /** A space goes in front of each piece of text between control tokens. */
    EVERYWHERE(
        """
        {"type": "Sequence", "normalizers": [
          {"type": "Prepend", "prepend": "▁"},
          {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
        """,
        "null"),
    /** A space goes in front of the whole text, where it does not begin with one. */
    AT_THE_START(
        "null",
        """
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false}
        """);

    private final String normalizer;
    private final String preTokenizer;

    Spaces(String normalizer, String preTokenizer) {
      this.normalizer = normalizer;
      this.preTokenizer = preTokenizer;
    }
  }

  private static final String DECODER =
      """
      {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
      """;

  private SentencePieceTokenizer() {}

  /**
   * @param where the file, for errors
   * @param fileBytes its size
   */
  static TokenizerParts parts(
      String where, SentencePieceModel file, Spaces spaces, long fileBytes) {
    List<String> tokens = file.pieces().stream().map(Piece::text).toList();
    List<Added> added = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      PieceType type = file.pieces().get(id).type();
      if (type == PieceType.CONTROL
          || type == PieceType.USER_DEFINED
          || type == PieceType.UNKNOWN) {
        added.add(new Added(id, type != PieceType.USER_DEFINED));
      }
    }
    return new TokenizerParts(
        tokens,
        added,
        merges(where, file, fileBytes),
        new Model(Optional.of(tokens.get(file.unknown())), true, false),
        new Steps(spaces.normalizer, spaces.preTokenizer, DECODER),
        file.beginning());
  }

  /** By score; equal scores, such as those of runs of spaces, by the length of the halves. */
  private static List<Merges.Merge> merges(String where, SentencePieceModel file, long fileBytes) {
    Merges merges = new Merges(where, file.ids(), fileBytes);
    List<Piece> pieces = file.pieces();
    for (int id = 0; id < pieces.size(); id++) {
      merges.add(pieces.get(id).text(), id);
    }
    int[] lengths =
        pieces.stream().mapToInt(p -> p.text().codePointCount(0, p.text().length())).toArray();
    List<Merges.Merge> ordered = merges.found();
    ordered.sort(
        Comparator.<Merges.Merge>comparingDouble(merge -> -pieces.get(merge.token()).score())
            .thenComparingInt(merge -> -lengths[merge.left()])
            .thenComparingInt(merge -> -lengths[merge.right()]));
    return ordered;
  }
}
