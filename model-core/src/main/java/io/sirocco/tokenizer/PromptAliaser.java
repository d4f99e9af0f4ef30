package io.sirocco.tokenizer;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.tokenizer.AddedTokenMatcher.Match;
import io.sirocco.tokenizer.AddedTokenMatcher.Pattern;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Puts aliases in place of the control tokens that a prompt's template wrote.
 *
 * <p>It looks for added tokens as the library does, ordinary ones included, since an ordinary token
 * may begin in front of a control token and cover it: first those that are matched on the text as
 * it is, then, in what is left between them, those matched on the normalized text.
 *
 * <p>One thing differs: a token that is passed over because it is no single word there hides the
 * tokens that overlap it from the library, but not where one of the two is a control token and the
 * other is not. Mistral's tokenizers have no single-word tokens.
 */
final class PromptAliaser {
  /** Units {@code start} to {@code end} of the text. */
  private record Segment(int start, int end) {}

  private final String where;
  private final SpecialAliases aliases;
  private final Optional<PlainNormalizer> normalizer;
  private final AddedTokenMatcher plain;
  private final AddedTokenMatcher normalized;
  private final boolean someNormalized;

  /** {@code where} is the file, for errors. */
  PromptAliaser(String where, TokenizerFile file, SpecialAliases aliases) {
    this.where = where;
    this.aliases = aliases;
    normalizer = PlainNormalizer.of(file.section("normalizer"));
    someNormalized = aliases.tokens().stream().anyMatch(AddedToken::normalized);
    PlainNormalizer known = normalizer.orElseGet(() -> new PlainNormalizer("", Map.of()));
    List<Pattern> plainPatterns = new ArrayList<>();
    List<Pattern> normalizedPatterns = new ArrayList<>();
    for (AddedToken token : aliases.tokens().isEmpty() ? aliases.tokens() : file.addedTokens()) {
      if (token.normalized()) {
        normalizedPatterns.add(new Pattern(known.normalize(token.content()), token));
      } else {
        plainPatterns.add(new Pattern(token.content(), token));
      }
    }
    plain = new AddedTokenMatcher(plainPatterns);
    normalized = new AddedTokenMatcher(normalizedPatterns);
  }

  /**
   * {@code text} with aliases for those control tokens of which no unit is {@code fromData}.
   *
   * @throws ModelException if a control token is matched on text that the normalizer has changed in
   *     a way that cannot be followed
   */
  AliasedText alias(String text, BitSet fromData) {
    if (someNormalized && normalizer.isEmpty()) {
      throw new ModelException(
          where + ": added_tokens",
          "a control token is \"normalized\" behind a normalizer other than Prepend and Replace of"
              + " one character; set \"normalized\" to false");
    }
    List<Match> found =
        plain.find(text, (token, start, end) -> !token.special() || isFree(fromData, start, end));
    List<Match> special = new ArrayList<>(found);
    if (someNormalized) {
      for (Segment segment : between(found, text)) {
        special.addAll(inNormalized(text, segment, fromData));
      }
      special.sort(Comparator.comparingInt(Match::start));
    }
    StringBuilder out = new StringBuilder(text.length() + 16 * special.size());
    int copied = 0;
    int controlStart = 0;
    int controlEnd = 0;
    for (Match match : special) {
      if (match.token().special()) {
        controlStart = out.append(text, copied, match.start()).length();
        controlEnd = out.append(aliases.alias(match.token())).length();
        copied = match.end();
      }
    }
    out.append(text, copied, text.length());
    return new AliasedText(out.toString(), controlStart, controlEnd);
  }

  private static boolean isFree(BitSet fromData, int start, int end) {
    int next = fromData.nextSetBit(start);
    return next < 0 || next >= end;
  }

  /** Matches in the normalized form of a segment; the units are those of the name in the text. */
  private List<Match> inNormalized(String text, Segment segment, BitSet fromData) {
    String form =
        normalizer.orElseThrow().normalize(text.substring(segment.start(), segment.end()));
    // The name's own prefix lies in front of it: what the normalizer put or found there.
    int origin = segment.start();
    return normalized
        .find(
            form,
            (token, start, end) ->
                !token.special()
                    || isFree(fromData, origin + start, origin + start + token.content().length()))
        .stream()
        .filter(match -> match.token().special())
        .map(match -> inText(match, origin))
        .toList();
  }

  private static Match inText(Match match, int origin) {
    int start = origin + match.start();
    return new Match(start, start + match.token().content().length(), match.token());
  }

  /** What is left between matches and the white space that they take along. */
  private static List<Segment> between(List<Match> matches, String text) {
    List<Segment> segments = new ArrayList<>();
    int free = 0;
    for (Match match : matches) {
      int start = match.start();
      while (match.token().lstrip()
          && start > free
          && AddedTokenMatcher.isSpace(text.charAt(start - 1))) {
        start--;
      }
      int end = match.end();
      while (match.token().rstrip()
          && end < text.length()
          && AddedTokenMatcher.isSpace(text.charAt(end))) {
        end++;
      }
      if (free < start) {
        segments.add(new Segment(free, start));
      }
      free = end;
    }
    if (free < text.length()) {
      segments.add(new Segment(free, text.length()));
    }
    return segments;
  }
}
