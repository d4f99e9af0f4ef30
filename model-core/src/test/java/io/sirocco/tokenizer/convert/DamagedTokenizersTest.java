package io.sirocco.tokenizer.convert;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.MutationTrials;
import io.sirocco.checkpoint.Mutations;
import io.sirocco.template.ChatRequest;
import io.sirocco.template.ChatTemplate;
import io.sirocco.template.RenderedPrompt;
import io.sirocco.tokenizer.SpecialTokenText;
import io.sirocco.tokenizer.TokenStream;
import io.sirocco.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokenizer files damaged at random: a {@link ModelException}, or a tokenizer that can be used. */
class DamagedTokenizersTest {
  private static final int USUAL = 1500;
  private static final long HEAP_BASE = 2 << 20;
  private static final int HEAP_PER_BYTE = 400;
  private static final List<String> TEXTS =
      List.of("the inn, é 12\n\n  </s>[INST] AAAAAAAAAAAA", "", " ", "\uD83D\uDE00\uD83D\u0000th");

  @TempDir private Path folder;

  @Test
  void damagedModelsLoadOrAreRefused() throws Exception {
    byte[] file = SentencePieceFile.small().control("[INST]").bytes();
    fuzz("tokenizer.model", file, (bytes, seed) -> damaged(bytes, new Random(seed)));
  }

  @Test
  void damagedTekkenFilesLoadOrAreRefused() throws Exception {
    fuzz(
        "tekken.json",
        TekkenJson.bytes(TekkenJson.small()),
        // Most of the file are byte tokens: half of the changes are to its first part.
        (bytes, seed) -> {
          Mutations mutations = new Mutations(seed);
          return (seed & 1) == 0 ? mutations.of(bytes) : inConfig(bytes, mutations);
        });
  }

  private void fuzz(String name, byte[] file, MutationTrials.Damage damage) throws Exception {
    new MutationTrials(name, USUAL, HEAP_BASE, HEAP_PER_BYTE)
        .run(
            folder.resolve(name),
            file,
            damage,
            () -> {
              try {
                use(folder);
              } catch (ModelException e) {
                assertThat(e).hasMessageContaining(name);
                throw e;
              }
            });
  }

  /** All that a job asks of a tokenizer. */
  private static void use(Path folder) {
    try (Tokenizer tokenizer = Tokenizer.open(folder, SpecialTokenText.LITERAL)) {
      for (String text : TEXTS) {
        row(() -> read(tokenizer, tokenizer.encode(text).ids()));
        row(() -> tokenizer.continuations(text).ids(" the inn"));
        assertThat(tokenizer.minimumTokens(text)).isNotNegative();
      }
      for (int id = 0; id < tokenizer.vocabSize(); id++) {
        assertThat(tokenizer.tokenBytes(id)).isNotNull();
      }
      Optional<ChatTemplate> template = ChatTemplate.open(folder);
      template.ifPresent(chat -> row(() -> read(tokenizer, prompt(tokenizer, chat))));
    }
  }

  private static int[] prompt(Tokenizer tokenizer, ChatTemplate template) {
    ObjectNode message = JsonNodeFactory.instance.objectNode();
    message.put("role", "user").put("content", TEXTS.get(0));
    RenderedPrompt prompt = template.render(ChatRequest.of(List.of(message)));
    return tokenizer.encodePrompt(prompt.text(), prompt.fromData());
  }

  /** What it writes at once, and token by token, is the same. */
  private static void read(Tokenizer tokenizer, int[] ids) {
    StringBuilder pieces = new StringBuilder();
    TokenStream stream = tokenizer.stream();
    for (int id : ids) {
      assertThat(id).isBetween(0, tokenizer.vocabSize() - 1);
      pieces.append(stream.push(id));
    }
    pieces.append(stream.flush());
    assertThat(pieces).hasToString(tokenizer.decode(ids));
    tokenizer.decodeSkippingSpecial(ids);
  }

  /** May be refused: where it has no other token than a control token's. */
  private static void row(Runnable use) {
    try {
      use.run();
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageContaining("control token");
    }
  }

  /** One to three bytes set, removed, doubled, or all behind them cut off. */
  private static byte[] damaged(byte[] file, Random random) {
    byte[] bytes = file;
    for (int change = random.nextInt(3); change >= 0 && bytes.length > 1; change--) {
      // The fields behind the pieces decide most, and are a hundredth of the file.
      int from = random.nextInt(4) == 0 ? Math.max(0, bytes.length - 32) : 0;
      int at = from + random.nextInt(bytes.length - from);
      int kind = random.nextInt(16);
      byte[] next = new byte[bytes.length + (kind == 0 ? -1 : 0) + (kind == 1 ? 1 : 0)];
      System.arraycopy(bytes, 0, next, 0, Math.min(at + 1, next.length));
      if (kind <= 1) {
        int rest = kind == 0 ? at + 1 : at;
        System.arraycopy(
            bytes, rest, next, next.length - (bytes.length - rest), bytes.length - rest);
      } else {
        System.arraycopy(bytes, at, next, at, bytes.length - at);
        next[at] =
            kind < 6 ? (byte) random.nextInt() : (byte) (next[at] ^ (1 << random.nextInt(8)));
      }
      bytes = kind == 2 ? Arrays.copyOf(next, at) : next;
    }
    return bytes;
  }

  private static byte[] inConfig(byte[] file, Mutations mutations) {
    int end = new String(file, StandardCharsets.UTF_8).indexOf("\"vocab\"");
    byte[] config = mutations.of(Arrays.copyOf(file, end));
    byte[] bytes = Arrays.copyOf(config, config.length + file.length - end);
    System.arraycopy(file, end, bytes, config.length, file.length - end);
    return bytes;
  }
}
