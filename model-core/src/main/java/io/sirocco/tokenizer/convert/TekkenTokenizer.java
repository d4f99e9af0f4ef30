package io.sirocco.tokenizer.convert;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.tokenizer.convert.TokenizerParts.Added;
import io.sirocco.tokenizer.convert.TokenizerParts.Model;
import io.sirocco.tokenizer.convert.TokenizerParts.Steps;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** A tekken.json as a tokenizer.json, as transformers' MistralConverter makes it. */
final class TekkenTokenizer {
  static final String BEGINNING = "<s>";

  private static final String PRE_TOKENIZER =
      """
      {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": %s}, "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
          "use_regex": false}]}
      """;
  private static final String DECODER =
      """
      {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}
      """;

  private TekkenTokenizer() {}

  /**
   * @param where the file, for errors
   * @param fileBytes its size
   * @throws ModelException if two tokens have one spelling, or no token begins a text
   */
  static TokenizerParts parts(String where, TekkenFile file, long fileBytes) {
    int specialCount = file.special().size();
    Map<String, Integer> ids = new HashMap<>();
    Merges merges = new Merges(where, ids, fileBytes);
    for (int rank = 0; rank < file.tokens().size(); rank++) {
      if (ids.put(file.tokens().get(rank), rank + specialCount) != null) {
        throw new ModelException(where, "vocab[" + rank + "] occurs before with another rank");
      }
    }
    Set<String> names = new HashSet<>();
    for (String special : file.special()) {
      if (!names.add(special) || ids.containsKey(special)) {
        throw new ModelException(
            where, "the special token " + special + " occurs twice; expected distinct tokens");
      }
    }
    for (String token : file.tokens()) {
      merges.add(token, ids.get(token));
    }
    if (SplitPattern.of(file.pattern()).isEmpty()) {
      throw new ModelException(
          where,
          "config.pattern has " + file.pattern().length() + " characters; " + SplitPattern.rule());
    }
    int beginning = file.special().indexOf(BEGINNING);
    if (beginning < 0) {
      throw new ModelException(
          where, "special_tokens has no " + BEGINNING + ", which begins texts");
    }
    List<String> tokens = new ArrayList<>(file.special());
    tokens.addAll(file.tokens());
    String pattern = JsonNodeFactory.instance.textNode(file.pattern()).toString();
    return new TokenizerParts(
        tokens,
        IntStream.range(0, specialCount).mapToObj(id -> new Added(id, true)).toList(),
        merges.found(),
        new Model(Optional.empty(), false, true),
        new Steps("null", PRE_TOKENIZER.formatted(pattern), DECODER),
        beginning);
  }
}
