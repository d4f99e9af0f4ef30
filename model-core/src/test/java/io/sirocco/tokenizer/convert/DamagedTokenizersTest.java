package io.sirocco.tokenizer.convert;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Mutations;
import io.sirocco.tokenizer.SpecialTokenText;
import io.sirocco.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tokenizer files damaged at random: a {@link ModelException}, or a tokenizer that can be used.
 * {@code -Dsirocco.mutations=100000} makes it thorough.
 */
class DamagedTokenizersTest {
  private static final long SEED = 20261126;
  private static final int MUTATIONS = Integer.getInteger("sirocco.mutations", 1500);
  private static final Duration LONGEST = Duration.ofSeconds(10);
  private static final String TEXT = "the inn, é 12\n\n  </s>[INST] AAAAAAAAAAAA";

  @TempDir private Path folder;

  @Test
  void damagedModelsLoadOrAreRefused() throws IOException {
    byte[] file = SentencePieceFile.small().control("[INST]").bytes();
    Random random = new Random(SEED);
    fuzz("tokenizer.model", file, bytes -> damaged(bytes, random));
  }

  @Test
  void damagedTekkenFilesLoadOrAreRefused() throws IOException {
    Mutations mutations = new Mutations(SEED);
    Random random = new Random(SEED);
    fuzz(
        "tekken.json",
        TekkenJson.bytes(TekkenJson.small()),
        // Most of the file are byte tokens: half of the changes are to its first part.
        bytes -> random.nextBoolean() ? mutations.of(bytes) : inConfig(bytes, mutations));
  }

  private interface Damage {
    byte[] to(byte[] file);
  }

  private void fuzz(String name, byte[] file, Damage damage) throws IOException {
    int loaded = 0;
    int refused = 0;
    Duration longest = Duration.ZERO;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] bytes = damage.to(file);
      Files.write(folder.resolve(name), bytes);
      Instant start = Instant.now();
      try (Tokenizer tokenizer = Tokenizer.open(folder, SpecialTokenText.LITERAL)) {
        tokenizer.decode(tokenizer.encode(TEXT).ids());
        loaded++;
      } catch (ModelException e) {
        assertThat(e).hasMessageContaining(name);
        refused++;
      } catch (IllegalArgumentException e) {
        // The row is refused: it has no other token than a control token's.
        assertThat(e).hasMessageContaining("control token");
        loaded++;
      }
      Duration taken = Duration.between(start, Instant.now());
      longest = taken.compareTo(longest) > 0 ? taken : longest;
    }
    System.out.printf(
        "%s: %,d mutations: %,d loaded, %,d refused, longest %d ms; seed %d%n",
        name, MUTATIONS, loaded, refused, longest.toMillis(), SEED);
    assertThat(loaded).isPositive();
    assertThat(refused).isPositive();
    assertThat(longest).isLessThan(LONGEST);
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
