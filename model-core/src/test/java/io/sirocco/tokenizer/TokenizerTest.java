package io.sirocco.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The sample classifier's tokenizer, whose model folder lies in the repository. */
class TokenizerTest {
  private static final Path SAMPLES = Path.of("..", "sample-data");
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private static Tokenizer literal;
  private static Tokenizer parsing;
  private static List<String> tickets;

  @BeforeAll
  static void open() throws IOException {
    literal = Tokenizer.open(SAMPLES.resolve("ticket-classifier"), SpecialTokenText.LITERAL);
    parsing = Tokenizer.open(SAMPLES.resolve("ticket-classifier"), SpecialTokenText.PARSE);
    tickets = new ArrayList<>();
    for (JsonNode line : lines("tickets.jsonl")) {
      tickets.add(line.path("text").asText());
    }
  }

  @AfterAll
  static void close() {
    literal.close();
    parsing.close();
  }

  @Test
  void everyTicketHasAsManyTokensAsTheReferenceCounted() throws IOException {
    Map<String, String> texts = new HashMap<>();
    for (JsonNode ticket : lines("tickets.jsonl")) {
      texts.put(ticket.path("id").asText(), ticket.path("text").asText());
    }
    List<JsonNode> expected = lines("expected-classify.jsonl");
    assertThat(expected).hasSizeGreaterThan(100);
    for (JsonNode one : expected) {
      String text = texts.get(one.path("id").asText());
      Encoding found = literal.encode(text);
      assertThat(found.length()).as(text).isEqualTo(one.path("tokens").asInt());
      assertThat(found.ids()).startsWith(1).isEqualTo(parsing.encode(text).ids());
    }
  }

  @Test
  void aTextThatIsPartlyARowsHasTheTokensThatTheTokenizerAdds() {
    String row = "</s> is what I see";
    BitSet fromRow = new BitSet();
    for (String ticket : tickets) {
      String text = "<s>" + ticket + "</s>" + row;
      fromRow.clear();
      fromRow.set(text.length() - row.length(), text.length());
      int[] before = parsing.encode("<s>" + ticket + "</s>").ids();
      int[] own = literal.encode(row).ids();
      int[] want = Arrays.copyOf(before, before.length + own.length - 1);
      System.arraycopy(own, 1, want, before.length, own.length - 1);
      assertThat(literal.encode(text, fromRow)).isEqualTo(new Encoding(want, 1, 0));
      fromRow.set(0, text.length());
      assertThat(literal.encode(text, fromRow)).isEqualTo(literal.encode(text));
      assertThat(parsing.encode(text, fromRow)).isEqualTo(parsing.encode(text));
    }
  }

  @Test
  void ticketsDecodeToThemselves() {
    for (String ticket : tickets) {
      assertThat(literal.decodeSkippingSpecial(literal.encode(ticket).ids())).isEqualTo(ticket);
    }
  }

  @Test
  void anEmptyTextHasTheAddedTokenOnly() {
    assertThat(literal.encode("")).isEqualTo(new Encoding(new int[] {1}, 1, 0));
    assertThat(literal.decode(new int[0])).isEmpty();
    assertThat(literal.minimumTokens("")).isEqualTo(1);
  }

  @Test
  void aTextOfTwentyThousandCharactersIsNotTruncated() {
    String text = "refund the order ".repeat(1200).substring(0, 20_000);
    Encoding found = literal.encode(text);
    assertThat(found.length()).isGreaterThan(3000);
    assertThat(literal.decodeSkippingSpecial(found.ids())).isEqualTo(text);
  }

  @Test
  void aSpecialTokensTextIsTextUnlessParsed() {
    assertThat(parsing.encode("a</s>").ids()).endsWith(2);
    int[] ids = literal.encode("a</s><s><unk>").ids();
    assertThat(ids).hasSizeGreaterThan(5).doesNotContain(0, 2);
    assertThat(literal.decodeSkippingSpecial(ids)).isEqualTo("a</s><s><unk>");
  }

  @Test
  void bothModesDecodeSpecialTokensAlike() {
    int[] ids = {1, 0, 2};
    for (Tokenizer tokenizer : List.of(literal, parsing)) {
      assertThat(tokenizer.decode(ids)).isEqualTo("<s><unk></s>");
      assertThat(tokenizer.decodeSkippingSpecial(ids)).isEmpty();
    }
  }

  @Test
  void aLoneSurrogateReadsAsTheReplacementCharacterAndSparesItsNeighbours() {
    assertThat(literal.encode("😀\ud800x\udc00").ids())
        .isEqualTo(literal.encode("😀\ufffdx\ufffd").ids());
    assertThat(literal.encode("\ude00\ud83d").ids())
        .isEqualTo(literal.encode("\ufffd\ufffd").ids());
  }

  @Test
  void controlCharactersAndNoncharactersSurvive() {
    String text = "a\0b\u0001\u0085\u200b\ufeff\uffff\r\n\t\u001f";
    assertThat(literal.decodeSkippingSpecial(literal.encode(text).ids())).isEqualTo(text);
  }

  @Test
  void idsBeyondTheVocabularyAreDroppedAndNegativeOnesRefused() {
    int[] ids = literal.encode("refund").ids();
    int[] more = Arrays.copyOf(ids, ids.length + 2);
    more[ids.length] = literal.vocabSize();
    more[ids.length + 1] = Integer.MAX_VALUE;
    assertThat(literal.decodeSkippingSpecial(more)).isEqualTo("refund");
    assertThatThrownBy(() -> literal.decode(new int[] {-1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
  }

  @Test
  void theVocabularySizeIsThatOfTheConfig() throws IOException {
    JsonNode config = MAPPER.readTree(SAMPLES.resolve("ticket-classifier/config.json").toFile());
    assertThat(literal.vocabSize()).isEqualTo(config.path("vocab_size").asInt());
  }

  @Test
  void noTextHasFewerTokensThanItsBound() {
    long seed = System.nanoTime();
    System.out.println("TokenizerTest: seed " + seed);
    Random random = new Random(seed);
    for (String ticket : tickets) {
      assertBounded(ticket);
    }
    for (int i = 0; i < 500; i++) {
      int[] codePoints =
          random.ints(random.nextInt(40), 0, 6).map(c -> " a▁é😀".codePointAt(c % 5)).toArray();
      assertBounded(new String(codePoints, 0, codePoints.length).repeat(1 + random.nextInt(9)));
    }
    assertThat(literal.minimumTokens("a".repeat(1_000_000))).isGreaterThan(30_000);
  }

  private static void assertBounded(String text) {
    int found = literal.encode(text).length();
    assertThat(literal.minimumTokens(text)).as(text).isBetween(1, found);
  }

  @Test
  void eightThreadsShareOneTokenizer() throws Exception {
    List<Encoding> expected = tickets.stream().map(literal::encode).toList();
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<List<Encoding>>> found = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        found.add(threads.submit(() -> tickets.stream().map(literal::encode).toList()));
      }
      for (Future<List<Encoding>> one : found) {
        assertThat(one.get()).isEqualTo(expected);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void closingWaitsForCallsUnderWayAndEndsTheOthers() throws Exception {
    Tokenizer tokenizer =
        Tokenizer.open(SAMPLES.resolve("ticket-classifier"), SpecialTokenText.LITERAL);
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<?>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        calls.add(threads.submit(() -> encodeUntilClosed(tokenizer)));
      }
      Thread.sleep(100);
      tokenizer.close();
      tokenizer.close();
      for (Future<?> call : calls) {
        call.get();
      }
    } finally {
      threads.shutdownNow();
    }
    assertThatThrownBy(() -> tokenizer.encode("a")).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> tokenizer.decode(new int[] {5}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the tokenizer is closed");
  }

  private static void encodeUntilClosed(Tokenizer tokenizer) {
    try {
      while (true) {
        assertThat(tokenizer.encode(tickets.get(0)).length()).isGreaterThan(1);
      }
    } catch (IllegalStateException e) {
      assertThat(e).hasMessage("the tokenizer is closed");
    }
  }

  private static List<JsonNode> lines(String file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(SAMPLES.resolve(file))) {
      lines.add(MAPPER.readTree(line));
    }
    return lines;
  }
}
