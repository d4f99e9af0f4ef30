package io.sirocco.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The names of all tokens, as the vocabulary spells them, in one array: 1.5 MB for a vocabulary of
 * 131072, where strings would take ten times that.
 */
final class TokenNames {
  private final byte[] utf8;

  /** End of each id's name in {@code utf8}; it starts where that of the id before ends. */
  private final int[] ends;

  /** Ids that have a name, the empty one included. */
  private final BitSet named = new BitSet();

  TokenNames(TokenizerFile file) {
    String[] names = new String[file.vocabSize()];
    file.vocabulary().forEach((name, id) -> names[id] = name);
    file.addedTokens().forEach(token -> names[token.id()] = token.content());
    ends = new int[names.length];
    ByteArrayOutputStream all = new ByteArrayOutputStream(8 * names.length);
    for (int id = 0; id < names.length; id++) {
      if (names[id] != null) {
        named.set(id);
        all.writeBytes(names[id].getBytes(StandardCharsets.UTF_8));
      }
      ends[id] = all.size();
    }
    utf8 = all.toByteArray();
  }

  /** Empty if no token has this id. */
  Optional<String> name(int id) {
    return named.get(id)
        ? Optional.of(new String(utf8, start(id), ends[id] - start(id), StandardCharsets.UTF_8))
        : Optional.empty();
  }

  /** The id of the token with this name; looks at all of them. */
  OptionalInt idOf(String name) {
    byte[] wanted = name.getBytes(StandardCharsets.UTF_8);
    return named.stream()
        .filter(id -> Arrays.equals(utf8, start(id), ends[id], wanted, 0, wanted.length))
        .findFirst();
  }

  private int start(int id) {
    return id == 0 ? 0 : ends[id - 1];
  }
}
