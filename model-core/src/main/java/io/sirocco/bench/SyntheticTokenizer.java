package io.sirocco.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A byte-fallback BPE in the form of Mistral's, so small that it fits any vocabulary. Its words
 * have four letters and are one token each, by two merges: tokenizing is about as much work for a
 * token as with a real one. Words follow one another without spaces and can be read in one way
 * only, since their halves begin with other letters: {@code bako}, {@code fepi}.
 */
final class SyntheticTokenizer {
  private static final String FIRST = "bcdfg";
  private static final String SECOND = "klmnp";
  private static final String VOWELS = "aeiou";
  private static final int BYTES = 256;

  private SyntheticTokenizer() {}

  /** {@code words} random words. */
  static String text(int words, SplittableRandom random) {
    StringBuilder text = new StringBuilder(4 * words);
    for (int word = 0; word < words; word++) {
      text.append(letter(FIRST, random)).append(letter(VOWELS, random));
      text.append(letter(SECOND, random)).append(letter(VOWELS, random));
    }
    return text.toString();
  }

  private static char letter(String letters, SplittableRandom random) {
    return letters.charAt(random.nextInt(letters.length()));
  }

  /** The tokenizer.json; a text of n words has n + 1 tokens, the first being {@code <s>}. */
  static String json() {
    ObjectNode tokenizer = new ObjectMapper().createObjectNode();
    tokenizer.put("version", "1.0");
    tokenizer.putNull("truncation").putNull("padding");
    ArrayNode added = tokenizer.putArray("added_tokens");
    List<String> special = List.of("<unk>", "<s>", "</s>");
    for (int id = 0; id < special.size(); id++) {
      ObjectNode token = added.addObject().put("id", id).put("content", special.get(id));
      token.put("single_word", false).put("lstrip", false).put("rstrip", false);
      token.put("normalized", false).put("special", true);
    }
    tokenizer.putNull("normalizer").putNull("pre_tokenizer");
    beginsText(tokenizer.putObject("post_processor"));
    tokenizer.putNull("decoder");
    ObjectNode model = tokenizer.putObject("model");
    model.put("type", "BPE").putNull("dropout").put("unk_token", "<unk>");
    model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    model.put("fuse_unk", true).put("byte_fallback", true).put("ignore_merges", false);
    List<String> vocabulary = new ArrayList<>(special);
    for (int value = 0; value < BYTES; value++) {
      vocabulary.add("<0x%02X>".formatted(value));
    }
    (FIRST + SECOND + VOWELS).chars().forEach(c -> vocabulary.add(Character.toString(c)));
    ArrayNode merges = model.putArray("merges");
    List<String> first = merged(letters(FIRST), letters(VOWELS), merges);
    List<String> second = merged(letters(SECOND), letters(VOWELS), merges);
    vocabulary.addAll(first);
    vocabulary.addAll(second);
    vocabulary.addAll(merged(first, second, merges));
    ObjectNode ids = model.putObject("vocab");
    vocabulary.forEach(token -> ids.put(token, ids.size()));
    return tokenizer.toPrettyString();
  }

  private static List<String> letters(String letters) {
    return letters.chars().mapToObj(Character::toString).toList();
  }

  private static List<String> merged(List<String> lefts, List<String> rights, ArrayNode merges) {
    List<String> tokens = new ArrayList<>();
    for (String left : lefts) {
      for (String right : rights) {
        merges.addArray().add(left).add(right);
        tokens.add(left + right);
      }
    }
    return tokens;
  }

  /** {@code <s>} in front of each text. */
  private static void beginsText(ObjectNode template) {
    template.put("type", "TemplateProcessing");
    for (String form : List.of("single", "pair")) {
      ArrayNode pieces = template.putArray(form);
      pieces.addObject().putObject("SpecialToken").put("id", "<s>").put("type_id", 0);
      pieces.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
      if (form.equals("pair")) {
        pieces.addObject().putObject("Sequence").put("id", "B").put("type_id", 1);
      }
    }
    ObjectNode token = template.putObject("special_tokens").putObject("<s>").put("id", "<s>");
    token.putArray("ids").add(1);
    token.putArray("tokens").add("<s>");
  }
}
