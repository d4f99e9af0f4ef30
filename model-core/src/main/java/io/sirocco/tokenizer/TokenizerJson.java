package io.sirocco.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.sirocco.tokenizer.TokenizerFile.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON that the Rust library loads: the file's own, but for a few edits.
 *
 * <p>Truncation and padding that the file asks for are always taken out: transformers switches them
 * off at every call.
 */
final class TokenizerJson {
  private final TokenizerFile file;

  TokenizerJson(TokenizerFile file) {
    this.file = file;
  }

  /** With which every added token is recognised in a text. */
  String parsing() {
    return edited(withoutTruncation());
  }

  /**
   * With which a text cannot contain a control token: they are no added tokens any more, their
   * aliases are instead; the post-processor's template brings its own ids along. Tokens that only
   * exist as added ones move into the vocabulary, and so do the aliases, since the library numbers
   * anew whatever the vocabulary lacks.
   */
  String literal(SpecialAliases aliases) {
    Map<Span, String> edits = withoutTruncation();
    file.span("added_tokens").ifPresent(span -> edits.put(span, addedTokens(aliases)));
    int start = file.vocabularyStart();
    edits.put(new Span(start, start), vocabularyAdditions(aliases));
    return edited(edits);
  }

  private Map<Span, String> withoutTruncation() {
    Map<Span, String> edits = new HashMap<>();
    for (String section : List.of("truncation", "padding")) {
      file.span(section).ifPresent(span -> edits.put(span, "null"));
    }
    return edits;
  }

  private String edited(Map<Span, String> edits) {
    List<Span> order = new ArrayList<>(edits.keySet());
    order.sort(Comparator.comparingInt(Span::start));
    String json = file.json();
    StringBuilder out = new StringBuilder(json.length() + (1 << 16));
    int copied = 0;
    for (Span span : order) {
      out.append(json, copied, span.start()).append(edits.get(span));
      copied = span.end();
    }
    return out.append(json, copied, json.length()).toString();
  }

  private String addedTokens(SpecialAliases aliases) {
    ArrayNode kept = JsonNodeFactory.instance.arrayNode();
    for (JsonNode token : file.section("added_tokens")) {
      if (!token.path("special").asBoolean()) {
        kept.add(token);
      }
    }
    for (int i = 0; i < aliases.tokens().size(); i++) {
      kept.add(aliases.addedToken(i));
    }
    return kept.toString();
  }

  private String vocabularyAdditions(SpecialAliases aliases) {
    StringBuilder out = new StringBuilder();
    for (AddedToken token : file.addedTokens()) {
      if (!file.vocabulary().containsKey(token.content())) {
        addEntry(out, token.content(), token.id());
      }
    }
    for (int i = 0; i < aliases.tokens().size(); i++) {
      addEntry(out, aliases.alias(aliases.tokens().get(i)), aliases.loadedId(i));
    }
    return out.toString();
  }

  private static void addEntry(StringBuilder out, String token, int id) {
    out.append(JsonNodeFactory.instance.textNode(token)).append(':').append(id).append(',');
  }
}
