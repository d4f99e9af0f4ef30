package io.sirocco.engine;

import io.sirocco.model.MistralConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Finds the tokens that rows with a common beginning have in common: those of the beginning, but
 * for the last ones where they depend on what follows.
 */
record CommonTokens(TextReader reader, EngineOptions options, MistralConfig config) {
  private static final int[] NONE = {};

  /** What rows may go on with: letters, digits, white space and marks merge in different ways. */
  private static final List<String> GOING_ON =
      List.of("a", "The", "I", "1", "x y", " x", "\nx", ".", "\"", "(", "é", "中", "Ж", "😀");

  /**
   * None where the job knows of none, where they are too few to be worth it, or where their hidden
   * states are part of every answer.
   */
  PrefixChoice find() {
    Beginning beginning = options.reuse().beginning();
    if (reader.poolsEveryToken()) {
      return PrefixChoice.of(config, NONE);
    }
    if (beginning instanceof Beginning.Tokens tokens) {
      return PrefixChoice.learned(config, Math.min(tokens.most(), options.maxTokens()));
    }
    boolean known = beginning instanceof Beginning.Text;
    return PrefixChoice.of(config, known ? common(((Beginning.Text) beginning).text()) : NONE);
  }

  private int[] common(String text) {
    Optional<int[]> common = ids(text + GOING_ON.get(0));
    for (String more : GOING_ON) {
      Optional<int[]> ids = ids(text + more);
      common = common.flatMap(before -> ids.map(now -> common(before, now)));
    }
    return common.orElse(NONE);
  }

  /** Empty if such rows are refused. */
  private Optional<int[]> ids(String text) {
    try {
      int[] ids = reader.read(new RowInput.Text(text)).encoding().ids();
      boolean known = Arrays.stream(ids).allMatch(id -> id >= 0 && id < config.vocabSize());
      boolean refused =
          ids.length > options.maxTokens() && options.overLength() == OverLength.ERROR;
      return known && !refused
          ? Optional.of(Arrays.copyOf(ids, Math.min(ids.length, options.maxTokens())))
          : Optional.empty();
    } catch (RowRefusal e) {
      return Optional.empty();
    }
  }

  private static int[] common(int[] one, int[] other) {
    int different = Arrays.mismatch(one, other);
    return different < 0 ? one : Arrays.copyOf(one, different);
  }
}
