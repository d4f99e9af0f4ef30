package io.sirocco.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.tokenizer.convert.ByteLevelAlphabet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ids to text one by one, in the sample writer's tokenizer and one of bytes. */
class TokenStreamTest {
  private static final Path SAMPLE = Path.of("..", "sample-data", "ticket-writer");
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir private Path folder;

  @Test
  void randomIdsStreamToWhatTheyDecodeTo() {
    try (Tokenizer tokenizer = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL)) {
      assertStreamsEqualDecoding(tokenizer, fallbackBytes(tokenizer));
    }
  }

  @Test
  void randomBytesStreamToWhatTheyDecodeTo() throws IOException {
    try (Tokenizer tokenizer = openByteLevel()) {
      assertStreamsEqualDecoding(tokenizer, IntStream.range(0, 256).toArray());
    }
  }

  @Test
  void aDecoderOfAnotherKindGivesAllTextAtTheEnd() throws IOException {
    ObjectNode json = (ObjectNode) MAPPER.readTree(SAMPLE.resolve("tokenizer.json").toFile());
    json.putObject("decoder")
        .put("type", "Metaspace")
        .put("replacement", "▁")
        .put("prepend_scheme", "always")
        .put("split", true);
    try (Tokenizer tokenizer = open(json)) {
      int[] ids = tokenizer.encode("refund the order").ids();
      TokenStream stream = tokenizer.streamSkippingSpecial();
      assertThat(Arrays.stream(ids).mapToObj(stream::push)).containsOnly("");
      assertThat(stream.flush()).isEqualTo("refund the order");
      assertStreamsEqualDecoding(tokenizer, fallbackBytes(tokenizer));
    }
  }

  @Test
  void wordsComeAsTheyAreCompleteAndByteRunsWhenTheyEnd() {
    try (Tokenizer tokenizer = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL)) {
      int[] bytes = fallbackBytes(tokenizer);
      int refund = tokenizer.idOf("▁refund").orElseThrow();
      TokenStream stream = tokenizer.streamSkippingSpecial();
      assertThat(stream.push(1)).isEmpty();
      assertThat(stream.push(refund)).isEqualTo("refund");
      assertThat(stream.push(refund)).isEqualTo(" refund");
      assertThat(stream.push(bytes[0xC3])).isEmpty();
      assertThat(stream.push(bytes[0xA9])).isEmpty();
      assertThat(stream.push(2)).isEmpty();
      assertThat(stream.push(refund)).isEqualTo("é refund");
      assertThat(stream.push(bytes[0xC3])).isEmpty();
      assertThat(stream.flush()).isEqualTo("\uFFFD");
      assertThat(stream.flush()).isEmpty();
      assertThatThrownBy(() -> stream.push(refund)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> tokenizer.stream().push(-1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aMillionIdsTakeNoLongerEachThanAFew() {
    try (Tokenizer tokenizer = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL)) {
      int[] bytes = fallbackBytes(tokenizer);
      int refund = tokenizer.idOf("▁refund").orElseThrow();
      TokenStream stream = tokenizer.streamSkippingSpecial();
      long length = 0;
      for (int i = 0; i < 1_000_000; i++) {
        // Skipped ids, a run of bytes that never ends, and words: a third each.
        int id = i < 333_333 ? 2 : i < 666_666 ? bytes['a'] : refund;
        length += stream.push(id).length();
      }
      assertThat(length + stream.flush().length()).isEqualTo(333_333L + 333_334L * 7);
    }
  }

  @Test
  void aTokensBytesAreThoseInTheMiddleOfAText() throws IOException {
    try (Tokenizer tokenizer = Tokenizer.open(SAMPLE, SpecialTokenText.LITERAL);
        Tokenizer byteLevel = openByteLevel()) {
      int[] bytes = fallbackBytes(tokenizer);
      assertThat(tokenizer.tokenBytes(bytes[0xC3])).containsExactly(0xC3);
      assertThat(text(tokenizer, "▁refund")).isEqualTo(" refund");
      assertThat(text(tokenizer, "</s>")).isEqualTo("</s>");
      assertThat(tokenizer.tokenBytes(tokenizer.vocabSize())).isEmpty();
      assertThat(tokenizer.idOf("refund the")).isEmpty();
      for (int b = 0; b < 256; b++) {
        assertThat(byteLevel.tokenBytes(b)).containsExactly(b);
      }
      assertThat(text(byteLevel, "<s>")).isEqualTo("<s>");
    }
  }

  private static String text(Tokenizer tokenizer, String name) {
    byte[] bytes = tokenizer.tokenBytes(tokenizer.idOf(name).orElseThrow());
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static void assertStreamsEqualDecoding(Tokenizer tokenizer, int[] bytes) {
    long seed = System.nanoTime();
    System.out.println("TokenStreamTest: seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 3000; i++) {
      int[] ids = RandomIds.draw(random, tokenizer.vocabSize(), bytes);
      assertThat(RandomIds.streamed(tokenizer.stream(), ids))
          .as(() -> Arrays.toString(ids))
          .isEqualTo(tokenizer.decode(ids));
      assertThat(RandomIds.streamed(tokenizer.streamSkippingSpecial(), ids))
          .as(() -> Arrays.toString(ids))
          .isEqualTo(tokenizer.decodeSkippingSpecial(ids));
    }
  }

  private static int[] fallbackBytes(Tokenizer tokenizer) {
    return IntStream.range(0, 256)
        .map(b -> tokenizer.idOf(String.format(Locale.ROOT, "<0x%02X>", b)).orElseThrow())
        .toArray();
  }

  /** Ids 0 to 255 are the bytes; then come {@code <s>} and one whose name is no byte's. */
  private Tokenizer openByteLevel() throws IOException {
    ObjectNode json = (ObjectNode) MAPPER.readTree(SAMPLE.resolve("tokenizer.json").toFile());
    ObjectNode vocabulary = ((ObjectNode) json.path("model")).putObject("vocab");
    for (int b = 0; b < 256; b++) {
      vocabulary.put(String.valueOf(ByteLevelAlphabet.character(b)), b);
    }
    ((ObjectNode) json.path("model")).putArray("merges");
    ((ObjectNode) json.path("model")).putNull("unk_token");
    ((ObjectNode) json.path("model")).put("byte_fallback", false);
    ObjectNode token = (ObjectNode) json.path("added_tokens").path(1);
    json.putArray("added_tokens")
        .add(token.deepCopy().put("id", 256))
        .add(token.deepCopy().put("id", 257).put("content", "<｜x▁y｜>"));
    json.putNull("normalizer");
    json.putNull("post_processor");
    for (String section : new String[] {"pre_tokenizer", "decoder"}) {
      json.putObject(section)
          .put("type", "ByteLevel")
          .put("add_prefix_space", false)
          .put("trim_offsets", true)
          .put("use_regex", true);
    }
    return open(json);
  }

  private Tokenizer open(ObjectNode json) throws IOException {
    MAPPER.writeValue(folder.resolve("tokenizer.json").toFile(), json);
    return Tokenizer.open(folder, SpecialTokenText.LITERAL);
  }
}
