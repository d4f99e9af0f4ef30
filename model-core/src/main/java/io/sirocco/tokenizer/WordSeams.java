package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.BitSet;
import java.util.Map;

/**
 * Places in a text that no token can span, whatever follows: a space behind a character that no
 * token of the vocabulary has in front of a "▁". Merging never crosses such a place, so both sides
 * can be encoded by themselves.
 *
 * <p>This holds for tokenizers of the SentencePiece kind, which hand whole segments to the model.
 * Others have no such places here.
 *
 * @param kind how a space becomes "▁"
 * @param before characters behind which a space is a seam
 */
record WordSeams(Kind kind, BitSet before) {
  enum Kind {
    NONE,
    /** The normalizer puts a "▁" in front of every segment, one that starts with a space too. */
    PREPENDED,
    /** A segment that starts with a space gets no further "▁". */
    METASPACE
  }

  private static final char SPACE = '▁';

  /** No places. */
  static WordSeams none() {
    return new WordSeams(Kind.NONE, new BitSet());
  }

  static WordSeams of(TokenizerFile file) {
    Kind kind = kind(file);
    BitSet before = new BitSet();
    if (kind != Kind.NONE && file.vocabulary().containsKey(String.valueOf(SPACE))) {
      for (String token : file.vocabulary().keySet()) {
        if (token.length() == 1 && !Character.isSurrogate(token.charAt(0))) {
          before.set(token.charAt(0));
        }
      }
      for (String token : file.vocabulary().keySet()) {
        for (int i = token.indexOf(SPACE, 1); i > 0; i = token.indexOf(SPACE, i + 1)) {
          before.clear(token.charAt(i - 1));
        }
      }
    }
    // A space becomes "▁" and is never a symbol of its own.
    before.clear(' ');
    return new WordSeams(kind, before);
  }

  private static Kind kind(TokenizerFile file) {
    JsonNode preTokenizer = file.section("pre_tokenizer");
    if (file.ignoresMerges() || file.addedTokens().stream().anyMatch(WordSeams::maySpan)) {
      return Kind.NONE;
    }
    PlainNormalizer prepended = new PlainNormalizer(String.valueOf(SPACE), Map.of(' ', SPACE));
    boolean onlySpecial = file.addedTokens().stream().allMatch(AddedToken::special);
    if (!preTokenizer.isObject()
        && onlySpecial
        && PlainNormalizer.of(file.section("normalizer")).filter(prepended::equals).isPresent()) {
      return Kind.PREPENDED;
    }
    boolean metaspace =
        preTokenizer.path("type").asText().equals("Metaspace")
            && preTokenizer.path("replacement").asText().equals(String.valueOf(SPACE));
    return metaspace && !file.section("normalizer").isObject() ? Kind.METASPACE : Kind.NONE;
  }

  /** Whether an added token may reach across a space, or change how what follows is read. */
  private static boolean maySpan(AddedToken token) {
    boolean hasSpace = token.content().indexOf(' ') >= 0 || token.content().indexOf(SPACE) >= 0;
    return token.special() ? token.normalized() : hasSpace || token.swallowsSpace();
  }

  /**
   * Where the last part of {@code text} that can be encoded by itself starts, behind at least one
   * unit from {@code from} on; or -1.
   */
  int last(String text, int from) {
    // The "▁" that the normalizer puts in front stands for the space, and needs something behind.
    int dropped = kind == Kind.PREPENDED ? 1 : 0;
    for (int i = text.length() - 1 - dropped; i > from; i--) {
      if (text.charAt(i) == ' ' && before.get(text.charAt(i - 1))) {
        return i + dropped;
      }
    }
    return -1;
  }
}
