package io.sirocco.tokenizer;

import java.util.BitSet;

/**
 * Prompts to ids: aliases are put in, the library encodes, and the ids of aliases become those of
 * the control tokens.
 *
 * @param loaded knows the aliases
 * @param aliaser puts them in
 * @param aliases what they stand for
 * @param forbidden ids that no text may become
 * @param maxTextLength most UTF-16 units of a prompt
 */
record PromptEncoder(
    NativeTokenizer loaded,
    PromptAliaser aliaser,
    SpecialAliases aliases,
    BitSet forbidden,
    int maxTextLength) {

  /** Keeps an aliased text's UTF-8 form, of three bytes a unit, within an int. */
  private static final int MAX_ALIASED = 1 << 29;

  /** Ids of {@code text} without lone surrogates; see {@link Tokenizer#encodePrompt}. */
  int[] ids(String text, BitSet fromData) {
    return idsOfAliased(aliased(text, fromData).text());
  }

  /** {@code text} with aliases, if it is not too long. */
  AliasedText aliased(String text, BitSet fromData) {
    checkLength(text.length());
    return aliaser.alias(text, fromData);
  }

  /** Refuses a control token that was made out of a text. */
  void checkFree(int id) {
    if (forbidden.get(id)) {
      throw new IllegalArgumentException("the text would contain the control token " + id);
    }
  }

  /** Refuses what may end the JVM. */
  void checkLength(int length) {
    if (length > maxTextLength) {
      throw new IllegalArgumentException(
          "the text has " + length + " characters, this tokenizer takes at most " + maxTextLength);
    }
  }

  int[] idsOfAliased(String aliased) {
    if (aliased.length() > MAX_ALIASED) {
      throw new IllegalArgumentException("the prompt has too many control tokens");
    }
    long[] found = loaded.ids(aliased, NativeTokenizer.Added.WITHOUT);
    int[] ids = new int[found.length];
    for (int i = 0; i < ids.length; i++) {
      int id = Math.toIntExact(found[i]);
      checkFree(id);
      ids[i] = aliases.isAlias(id) ? aliases.trueId(id) : id;
    }
    return ids;
  }
}
