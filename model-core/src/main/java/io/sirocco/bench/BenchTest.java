package io.sirocco.bench;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A test by its name; the first three are named as llama-bench and llama-batched-bench do. */
public sealed interface BenchTest {

  /** {@code pp512}: a prompt of 512 tokens. */
  record Prompt(int tokens) implements BenchTest {}

  /** {@code tg32}, {@code tg32@d512}: 32 new tokens of rows that are 0, or 512 tokens long. */
  record Writing(int newTokens, int depth) implements BenchTest {
    String label() {
      return "tg" + newTokens + (depth == 0 ? "" : "@d" + depth);
    }
  }

  /**
   * {@code pp128+tg32}, {@code pp128+tg32@shared}: prompts of 128 tokens and 32 new ones behind
   * each.
   */
  record Serving(int promptTokens, int newTokens, Prompts prompts) implements BenchTest {
    String label() {
      return "pp%d+tg%d%s"
          .formatted(promptTokens, newTokens, prompts == Prompts.SHARED ? "@shared" : "");
    }
  }

  /** Whether rows have a prompt each. */
  enum Prompts {
    /** Every row computes its own. */
    OWN,
    /** All rows have the same one, which is computed once. */
    SHARED
  }

  /** {@code batching}: continuous against static batches. */
  record Batching() implements BenchTest {}

  /** {@code classify}: rows of skewed lengths through the engine. */
  record Classify() implements BenchTest {}

  /** {@code job}: the same rows as texts, through a whole Spark job. */
  record Job() implements BenchTest {}

  /** What there is, for people. */
  String NAMES =
      "ppN such as pp512, tgN or tgN@dD such as tg32@d128, ppN+tgN or ppN+tgN@shared such as"
          + " pp128+tg32, batching, classify, job";

  /** Those without numbers. */
  Map<String, BenchTest> SIMPLE =
      Map.of("batching", new Batching(), "classify", new Classify(), "job", new Job());

  /** The test called so, if there is one. */
  static Optional<BenchTest> named(String name) {
    Optional<BenchTest> simple = Optional.ofNullable(SIMPLE.get(name));
    if (simple.isPresent()) {
      return simple;
    }
    Matcher match = Pattern.compile("pp([1-9]\\d{0,5})").matcher(name);
    if (match.matches()) {
      return Optional.of(new Prompt(number(match, 1)));
    }
    match = Pattern.compile("tg([1-9]\\d{0,4})(?:@d(\\d{1,6}))?").matcher(name);
    if (match.matches()) {
      return Optional.of(
          new Writing(number(match, 1), match.group(2) == null ? 0 : number(match, 2)));
    }
    match = Pattern.compile("pp([1-9]\\d{0,5})\\+tg([1-9]\\d{0,4})(@shared)?").matcher(name);
    if (match.matches()) {
      return Optional.of(
          new Serving(
              number(match, 1),
              number(match, 2),
              match.group(3) == null ? Prompts.OWN : Prompts.SHARED));
    }
    return Optional.empty();
  }

  private static int number(Matcher match, int group) {
    return Integer.parseInt(match.group(group));
  }
}
