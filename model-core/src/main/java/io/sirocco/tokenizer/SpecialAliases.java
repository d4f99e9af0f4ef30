package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.ModelException;
import java.security.SecureRandom;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Names of the control tokens that nobody can write: how a prompt tells the Rust library which of
 * its {@code </s>} are meant.
 *
 * <p>Loaded beside the tokenizer's own tokens, an alias is an added token with the flags of the
 * control token, and with an id of its own behind the vocabulary, so that nothing else changes: the
 * true name stays plain text, and decoding knows no alias. An alias holds 128 random bits, drawn
 * anew for every tokenizer; it must not reach a log or a message.
 *
 * <p>Its characters are private-use ones (a letter at an end where the true name has a word
 * character, for the tokens beside it that count as single words only), and none of them occurs in
 * an added token or the normalizer. So an added token can neither begin in front of an alias and
 * reach into it, nor can a normalizer change one.
 */
final class SpecialAliases {
  /** Private-use characters that are digits to the base of 4096. */
  private static final int DIGITS = 0xE000;

  private static final int RANDOM_DIGITS = 11;
  private static final int PRIVATE_USE = 0xF000;
  private static final int PRIVATE_USE_COUNT = 0x900;

  /** Ideographs of extension A: letters that no normalization changes. */
  private static final int LETTERS = 0x3400;

  private static final int LETTER_COUNT = 0x1980;

  private final int firstId;
  private final List<AddedToken> tokens;
  private final Map<Integer, String> aliases = new HashMap<>();

  private SpecialAliases(int firstId, List<AddedToken> tokens) {
    this.firstId = firstId;
    this.tokens = tokens;
  }

  /** No aliases: the library recognises the control tokens itself. */
  static SpecialAliases none() {
    return new SpecialAliases(0, List.of());
  }

  /**
   * Aliases of all control tokens of {@code file}.
   *
   * @param where the file, for errors
   * @throws ModelException if its added tokens leave too few characters for aliases
   */
  static SpecialAliases of(String where, TokenizerFile file) {
    List<AddedToken> special = file.addedTokens().stream().filter(AddedToken::special).toList();
    SpecialAliases result = new SpecialAliases(file.vocabSize(), special);
    BitSet taken = new BitSet();
    file.addedTokens().forEach(token -> token.content().chars().forEach(taken::set));
    file.section("normalizer").toString().chars().forEach(taken::set);
    Drawer drawer = new Drawer(where, taken);
    StringBuilder secret = new StringBuilder();
    for (int i = 0; i < RANDOM_DIGITS; i++) {
      secret.append(drawer.draw(DIGITS, 1 << 12));
    }
    char letter = drawer.draw(LETTERS, LETTER_COUNT);
    char other = drawer.draw(PRIVATE_USE, PRIVATE_USE_COUNT);
    for (int i = 0; i < special.size(); i++) {
      String content = special.get(i).content();
      boolean wordFirst = AddedTokenMatcher.isWord(content.codePointAt(0));
      boolean wordLast = AddedTokenMatcher.isWord(content.codePointBefore(content.length()));
      String alias =
          ""
              + (wordFirst ? letter : other)
              + secret
              + (char) (DIGITS + (i >> 12))
              + (char) (DIGITS + (i & 0xFFF))
              + (wordLast ? letter : other);
      result.aliases.put(special.get(i).id(), alias);
    }
    return result;
  }

  /** The tokens that have an alias. */
  List<AddedToken> tokens() {
    return tokens;
  }

  String alias(AddedToken token) {
    return aliases.get(token.id());
  }

  /** The id under which the alias of the token at {@code index} is loaded. */
  int loadedId(int index) {
    return firstId + index;
  }

  /** Whether the library means a control token by {@code loadedId}. */
  boolean isAlias(int loadedId) {
    return loadedId >= firstId && loadedId - firstId < tokens.size();
  }

  /** The control token's own id. */
  int trueId(int loadedId) {
    return tokens.get(loadedId - firstId).id();
  }

  /** The entry of {@code added_tokens} that makes the alias of the token at {@code index} known. */
  ObjectNode addedToken(int index) {
    AddedToken token = tokens.get(index);
    return JsonNodeFactory.instance
        .objectNode()
        .put("id", loadedId(index))
        .put("content", alias(token))
        // Decided where the alias is put: it depends on the neighbours' true names.
        .put("single_word", false)
        .put("lstrip", token.lstrip())
        .put("rstrip", token.rstrip())
        .put("normalized", token.normalized())
        .put("special", true);
  }

  /** Draws characters that the file does not use. */
  private record Drawer(String where, BitSet taken, SecureRandom random) {
    Drawer(String where, BitSet taken) {
      this(where, taken, new SecureRandom());
    }

    char draw(int first, int count) {
      if (taken.get(first, first + count).cardinality() > count / 2) {
        throw new ModelException(
            where + ": added_tokens",
            "more than half of the characters from "
                + Integer.toHexString(first)
                + " are used by added tokens, which leaves too few for prompts");
      }
      int drawn;
      do {
        drawn = first + random.nextInt(count);
      } while (taken.get(drawn));
      return (char) drawn;
    }
  }
}
