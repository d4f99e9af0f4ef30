package io.sirocco.tokenizer.convert;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.tokenizer.SpecialTokenText;
import io.sirocco.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which patterns the library may run, and on how long a text. */
class SplitPatternTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "(a+)+$",
        "(a|b){2,}",
        "(a)\\1",
        "\\k<x>",
        "a*a*a*b",
        "a*a*b",
        "a*(?:a*b)",
        "(?:a*a*)b",
        "a*(?!a*b)",
        "a?a?a?a?a*b",
        "(?:a|aa)(?:a|aa)(?:a|aa)a*b",
        "a{1,100000}a{1,100000}b",
        "a{1,9}{1,9}",
        "a++*",
        "(?<=a*)b",
        "(?~a)",
        "(?x)a",
        "\\R+",
        "[[a]b]+",
        "[]a]+",
        "[",
        "(",
        ")",
        "a)",
        "a|(",
        "*",
        "a{",
        "a{2",
        "a{2,1}",
        "\\",
        "\\p",
        "\\p{",
        ""
      })
  void patternsWithoutABoundAreRefused(String pattern) {
    assertThat(SplitPattern.of(pattern)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "a*b 1 65536",
        "a*a* 1 65536",
        "a?a*b 2 65536",
        "[)+*]|\\)+|\\s?\\p{L}+ 3 65536",
        "(?i:[sdmt]|ll|ve|re)|\\p{N}{1,3}|[^\\s]++[\\r\\n]* 1 65536",
        "\\s?[a-z]*[^A]+(?i:s|t)? 2 65536",
        "(?:x|y)z 0 65536"
      })
  void stepsAreCounted(String pattern, long steps, int longest) {
    SplitPattern judged = SplitPattern.of(pattern).orElseThrow();
    assertThat(judged.steps()).isEqualTo(steps);
    assertThat(judged.maxTextLength()).isEqualTo(longest);
  }

  @Test
  void manyAlternativesLeaveLessText() {
    SplitPattern judged = SplitPattern.of("a*b" + "|a*b".repeat(500)).orElseThrow();
    assertThat(judged.maxTextLength()).isEqualTo(8783);
  }

  /** The worst that is let through, on the longest text that it may get: the JVM must live. */
  @ParameterizedTest
  @ValueSource(strings = "a*b")
  void theLongestTextEndsInTime(String pattern, @TempDir Path folder) throws IOException {
    var json = TekkenJson.small();
    json.withObject("/config").put("pattern", pattern);
    new ObjectMapper().writeValue(folder.resolve("tekken.json").toFile(), json);
    int longest = SplitPattern.of(pattern).orElseThrow().maxTextLength();
    Instant start = Instant.now();
    try (Tokenizer tokenizer = Tokenizer.open(folder, SpecialTokenText.LITERAL)) {
      // Each position looks through all letters behind it, and the end keeps the engine from
      // seeing at once that there is no match.
      assertThat(tokenizer.encode("a".repeat(longest - 2) + "xb").length()).isPositive();
    }
    Duration taken = Duration.between(start, Instant.now());
    System.out.println(pattern + ": " + longest + " characters in " + taken.toMillis() + " ms");
    assertThat(taken).isLessThan(Duration.ofMinutes(5));
  }
}
