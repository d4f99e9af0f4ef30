package io.sirocco.checkpoint;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Which file a model's tokenizer is read from, where its folder has no tokenizer.json. */
public final class RawTokenizers {
  /** What is read where it is there; then the others do not count. */
  public static final String CONVERTED = "tokenizer.json";

  /** Mistral's own format since Nemo. */
  public static final String TEKKEN = "tekken.json";

  /** SentencePiece's. Raw releases put the generation behind its name. */
  public static final String SENTENCE_PIECE = "tokenizer.model";

  private static final List<String> PLACES =
      List.of(
          TEKKEN,
          SENTENCE_PIECE,
          SENTENCE_PIECE + ".v7",
          SENTENCE_PIECE + ".v3",
          SENTENCE_PIECE + ".v2",
          SENTENCE_PIECE + ".v1");

  private RawTokenizers() {}

  /**
   * The raw tokenizer of a folder.
   *
   * @param exists whether the folder has a file of this name
   * @return empty if it has {@link #CONVERTED}, or no tokenizer
   */
  public static Optional<String> among(Predicate<String> exists) {
    return exists.test(CONVERTED) ? Optional.empty() : PLACES.stream().filter(exists).findFirst();
  }
}
