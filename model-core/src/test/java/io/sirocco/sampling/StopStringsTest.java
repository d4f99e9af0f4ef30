package io.sirocco.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Stop strings across tokens, inside them, over the prompt's end, in parts of characters. */
class StopStringsTest {
  private static final long SEED = 4711;

  /** Every byte is a token: id 0 to 255. */
  private static final TokenTexts BYTES = id -> new byte[] {(byte) id};

  @Test
  void anOccurrenceMayBeginInThePromptAndEndAnywhereInTheLastToken() {
    TokenTexts texts = texts("", " the", "END", " o", "f it", "EN", "D!");
    StopStrings stops = StopStrings.of(List.of("END", " of"), texts);
    assertThat(matches(stops, 1, 2)).isTrue();
    assertThat(matches(stops, 1, 3)).isFalse();
    assertThat(matches(stops, 1, 3, 4)).isTrue();
    assertThat(matches(stops, 5, 6)).isTrue();
    assertThat(matches(stops, 2, 1)).as("ended before the last token").isFalse();
    assertThat(matches(stops, 2, 0)).as("the last token has no text").isFalse();
    assertThat(stops.after(new int[] {1, 5}).next(6).matchStart()).isZero();
    assertThat(stops.after(new int[] {5}).next(1).next(5).next(6).matchStart()).isEqualTo(4);
    assertThat(stops.after(new int[] {2}).isMatch()).as("the prompt alone").isFalse();
  }

  @Test
  void textSplitIntoPartsOfCharactersIsFound() {
    StopStrings stops = StopStrings.of(List.of("é", "日本"), BYTES);
    StopStrings.Cursor cursor = stops.after(new int[0]);
    int[] ids = bytes("x日本");
    for (int at = 0; at < ids.length - 1; at++) {
      cursor = cursor.next(ids[at]);
      assertThat(cursor.isMatch()).isFalse();
    }
    assertThat(cursor.next(ids[ids.length - 1]).matchStart()).isEqualTo(1);
    assertThat(matches(stops, bytes("é"))).isTrue();
    assertThat(matches(stops, bytes("e"))).isFalse();
  }

  @Test
  void theEarliestOccurrenceIsWhereTheTextIsCut() {
    TokenTexts texts = texts("abcde", "xab", "cd");
    StopStrings stops = StopStrings.of(List.of("d", "bcd", "cde"), texts);
    assertThat(stops.after(new int[0]).next(0).matchStart()).isEqualTo(1);
    assertThat(stops.after(new int[0]).next(1).next(2).matchStart()).isEqualTo(2);
    assertThat(stops.after(new int[0]).next(1).matchStart()).isEqualTo(-1);
  }

  @Test
  void noStopStringsNeverMatch() {
    assertThat(StopStrings.none().after(new int[] {1}).next(2).isMatch()).isFalse();
    assertThat(StopStrings.none().matches(new int[] {1, 2}, 2)).isFalse();
  }

  @Test
  void randomTextsMatchAsASearchThroughAllOfThem() {
    Random random = new Random(SEED);
    int found = 0;
    for (int round = 0; round < 4000; round++) {
      byte[][] vocabulary = new byte[1 + random.nextInt(6)][];
      for (int id = 0; id < vocabulary.length; id++) {
        vocabulary[id] = word(random, 5).getBytes(StandardCharsets.UTF_8);
      }
      List<String> stops = new ArrayList<>();
      for (int stop = random.nextInt(4); stop >= 0; stop--) {
        stops.add(word(random, 1 + random.nextInt(7)) + "a");
      }
      int[] ids = random.ints(1 + random.nextInt(12), 0, vocabulary.length).toArray();
      int prompt = random.nextInt(ids.length);
      StopStrings matcher = StopStrings.of(stops, id -> vocabulary[id]);
      StopStrings.Cursor cursor = matcher.after(Arrays.copyOf(ids, prompt));
      for (int length = prompt + 1; length <= ids.length; length++) {
        cursor = cursor.next(ids[length - 1]);
        String what = "seed " + SEED + " round " + round + " length " + length;
        long start = naiveStart(vocabulary, stops, ids, 0, length);
        long before = length(vocabulary, ids, 0, prompt);
        assertThat(cursor.isMatch()).as(what).isEqualTo(start >= 0);
        assertThat(cursor.matchStart())
            .as(what)
            .isEqualTo(start < 0 ? -1 : Math.max(0, start - before));
        int longest = stops.stream().mapToInt(String::length).max().orElse(0);
        int from = Math.max(0, length - longest);
        assertThat(matcher.matches(ids, length))
            .as(what)
            .isEqualTo(naiveStart(vocabulary, stops, ids, from, length) >= 0);
        found += start >= 0 ? 1 : 0;
      }
    }
    assertThat(found).isBetween(2000, 20_000);
  }

  @Test
  @Timeout(20)
  void hostileStopStringsTakeLinearTime() {
    List<String> repetitive = new ArrayList<>();
    for (int length = 1; length <= 500; length++) {
      repetitive.add("a".repeat(length) + "b");
    }
    StopStrings stops = StopStrings.of(repetitive, BYTES);
    StopStrings.Cursor cursor = stops.after(new int[0]);
    for (int step = 0; step < 1_000_000; step++) {
      cursor = cursor.next('a');
    }
    assertThat(cursor.isMatch()).isFalse();
    assertThat(cursor.next('b').matchStart()).isEqualTo(1_000_000 - 500);

    StopStrings one = StopStrings.of(List.of("a".repeat(200_000) + "b"), BYTES);
    assertThat(
            one.after(IntStream.generate(() -> 'a').limit(300_000).toArray())
                .next('b')
                .matchStart())
        .isZero();
    List<String> many = IntStream.range(0, 10_000).mapToObj(n -> "stop " + n).toList();
    assertThat(matches(StopStrings.of(many, BYTES), bytes("stop 777"))).isTrue();
  }

  @Test
  void whatIsNoTextAndWhatIsTooMuchIsRefused() {
    for (List<String> stops :
        List.of(
            List.of(""),
            List.of("half a pair \ud800"),
            List.of("x".repeat(1 << 19)),
            IntStream.range(0, 10_001).mapToObj(String::valueOf).toList())) {
      assertThatThrownBy(() -> StopStrings.of(stops, BYTES))
          .isInstanceOf(InvalidSettingException.class)
          .hasMessageContaining("stop_strings");
    }
  }

  /**
   * Where the first occurrence that ends inside the last token begins, in bytes of all; -1: none.
   */
  private static long naiveStart(
      byte[][] vocabulary, List<String> stops, int[] ids, int from, int length) {
    long offset = length(vocabulary, ids, 0, from);
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (int at = from; at < length; at++) {
      joined.writeBytes(vocabulary[ids[at]]);
    }
    String text = joined.toString(StandardCharsets.UTF_8);
    int lastBegins = text.length() - vocabulary[ids[length - 1]].length;
    for (int start = 0; start < text.length(); start++) {
      for (String stop : stops) {
        if (text.startsWith(stop, start) && start + stop.length() > lastBegins) {
          return offset + start;
        }
      }
    }
    return -1;
  }

  private static long length(byte[][] vocabulary, int[] ids, int from, int to) {
    long bytes = 0;
    for (int at = from; at < to; at++) {
      bytes += vocabulary[ids[at]].length;
    }
    return bytes;
  }

  private static boolean matches(StopStrings stops, int... ids) {
    return stops.matches(ids, ids.length);
  }

  private static TokenTexts texts(String... vocabulary) {
    return id -> vocabulary[id].getBytes(StandardCharsets.UTF_8);
  }

  private static int[] bytes(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return IntStream.range(0, bytes.length).map(at -> bytes[at] & 0xff).toArray();
  }

  private static String word(Random random, int below) {
    StringBuilder word = new StringBuilder();
    for (int length = random.nextInt(below); length > 0; length--) {
      word.append((char) ('a' + random.nextInt(2)));
    }
    return word.toString();
  }
}
