package io.sirocco.convert;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Mutations;
import io.sirocco.checkpoint.RawRelease;
import io.sirocco.checkpoint.RawRows;
import io.sirocco.checkpoint.RawTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Releases damaged at random: a {@link ModelException}, or a release whose every row can be read.
 * {@code -Dsirocco.mutations=100000} asks for more of them than the usual few seconds.
 */
class DamagedReleasesTest {
  private static final long SEED = 20261126;
  private static final int MUTATIONS = Integer.getInteger("sirocco.mutations", 3000);

  @TempDir private Path folder;

  /** Reads every tensor; the number of rows. */
  private static long load(Path release) {
    long rows = 0;
    for (RawTensor tensor : RawRelease.open(release).tensors()) {
      try (RawRows reader = RawRows.open(tensor)) {
        int band = reader.bandRows();
        for (int from = 0; from < tensor.rows(); from += band) {
          int count = (int) Math.min(band, tensor.rows() - from);
          ByteBuffer into = ByteBuffer.allocate(Math.toIntExact(count * tensor.rowBytes()));
          reader.read(from, count, into);
          assertThat(into.hasRemaining()).isFalse();
          rows += count;
        }
      }
    }
    return rows;
  }

  private void fuzz(Path release, String name) throws IOException {
    byte[] original = Files.readAllBytes(folder.resolve(name));
    assertThat(load(release)).isPositive();
    Mutations mutations = new Mutations(SEED);
    Instant start = Instant.now();
    int loaded = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] damaged = mutations.of(original);
      Files.write(folder.resolve(name), damaged);
      try {
        assertThat(load(release)).isPositive();
        loaded++;
      } catch (ModelException e) {
        assertThat(e.getMessage()).isNotBlank();
      } catch (RuntimeException | Error e) {
        throw new AssertionError("mutation %d of %s, seed %d".formatted(i, name, SEED), e);
      }
    }
    System.out.printf(
        "DamagedReleasesTest: %s: %d mutations, %d loaded, the others refused; %d ms (seed %d)%n",
        name, MUTATIONS, loaded, Duration.between(start, Instant.now()).toMillis(), SEED);
    assertThat(loaded).isBetween(1, MUTATIONS - 1);
  }

  @Test
  void damagedPickles() throws IOException {
    SmallModel.fixture().pickled(folder, 1);
    fuzz(folder, "consolidated.00.pth");
  }

  @Test
  void damagedParts() throws IOException {
    SmallModel.fixture().pickled(folder, 2);
    fuzz(folder, "consolidated.01.pth");
  }

  @Test
  void damagedSafetensors() throws IOException {
    SmallModel.fixture().safetensors(folder);
    fuzz(folder, "consolidated.safetensors");
  }

  @Test
  void damagedIndex() throws IOException {
    SmallModel.fixture().shards(folder);
    fuzz(folder, "consolidated.safetensors.index.json");
  }

  @Test
  void damagedArchives() throws IOException {
    Path release = SmallModel.fixture().pickled(folder.resolve("raw"), 1);
    fuzz(RawFixture.tar(release, folder.resolve("release.tar")), "release.tar");
  }

  @Test
  void damagedParams() throws IOException {
    SmallModel.fixture().safetensors(folder);
    ObjectNode params = SmallModel.fixture().params();
    params.putNull("moe").put("tied_embeddings", false).put("_sliding_window", 8);
    params.put("sliding_window", "8");
    Files.write(folder.resolve("params.json"), params.toString().getBytes(StandardCharsets.UTF_8));
    fuzz(folder, "params.json");
  }
}
