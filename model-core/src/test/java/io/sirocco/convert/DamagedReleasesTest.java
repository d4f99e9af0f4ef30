package io.sirocco.convert;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.MutationTrials;
import io.sirocco.checkpoint.Mutations;
import io.sirocco.checkpoint.RawRelease;
import io.sirocco.checkpoint.RawRows;
import io.sirocco.checkpoint.RawTensor;
import io.sirocco.engine.Inspection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Releases damaged at random: a {@link ModelException}, or a release that can be converted. */
class DamagedReleasesTest {
  private static final int USUAL = 1000;
  private static final long HEAP_BASE = 3 << 20;
  private static final int HEAP_PER_BYTE = 100;

  @TempDir private Path folder;

  /** All that a conversion, and {@code inspect}, ask of a release. */
  private static void use(Path path) throws IOException {
    assertThat(Inspection.of(path).path()).isEqualTo(path);
    RawRelease release = RawRelease.open(path);
    assertThat(release.identity()).isNotBlank();
    assertThat(release.config(release.type(), OptionalInt.empty())).isNotEmpty();
    assertThat(release.bytes()).isPositive();
    assertThat(release.companionBytes()).isNotNegative();
    for (RawTensor tensor : release.tensors()) {
      readAll(tensor);
    }
    if (Files.isDirectory(path) && RawRelease.isOpenedAsItIs(path)) {
      Checkpoint checkpoint = Checkpoint.open(path);
      assertThat(checkpoint.fingerprint()).isNotBlank();
      checkpoint.names().forEach(checkpoint::find);
    }
  }

  private static void readAll(RawTensor tensor) {
    try (RawRows reader = RawRows.open(tensor)) {
      int band = reader.bandRows();
      for (int from = 0; from < tensor.rows(); from += band) {
        int count = (int) Math.min(band, tensor.rows() - from);
        ByteBuffer into = ByteBuffer.allocate(Math.toIntExact(count * tensor.rowBytes()));
        reader.read(from, count, into);
        assertThat(into.hasRemaining()).isFalse();
      }
    }
  }

  private void fuzz(Path release, String name) throws Exception {
    fuzz(release, name, (bytes, seed) -> new Mutations(seed).of(bytes));
  }

  private void fuzz(Path release, String name, MutationTrials.Damage damage) throws Exception {
    Path file = folder.resolve(name);
    new MutationTrials(name, USUAL, HEAP_BASE, HEAP_PER_BYTE)
        .run(file, Files.readAllBytes(file), damage, () -> use(release));
  }

  @Test
  void damagedPickles() throws Exception {
    SmallModel.fixture().pickled(folder, 1);
    fuzz(folder, "consolidated.00.pth", MutationTrials::ofPickled);
  }

  @Test
  void damagedParts() throws Exception {
    SmallModel.fixture().pickled(folder, 2);
    fuzz(folder, "consolidated.01.pth", MutationTrials::ofPickled);
  }

  @Test
  void damagedSafetensors() throws Exception {
    SmallModel.fixture().safetensors(folder);
    fuzz(folder, "consolidated.safetensors");
  }

  @Test
  void damagedIndex() throws Exception {
    SmallModel.fixture().shards(folder);
    fuzz(folder, "consolidated.safetensors.index.json");
  }

  @Test
  void damagedArchives() throws Exception {
    Path release = SmallModel.fixture().pickled(folder.resolve("raw"), 1);
    fuzz(RawFixture.tar(release, folder.resolve("release.tar")), "release.tar");
  }

  @Test
  void damagedParams() throws Exception {
    SmallModel.fixture().safetensors(folder);
    ObjectNode params = SmallModel.fixture().params();
    params.putNull("moe").put("tied_embeddings", false).put("_sliding_window", 8);
    params.put("sliding_window", "8");
    Files.write(folder.resolve("params.json"), params.toString().getBytes(StandardCharsets.UTF_8));
    fuzz(folder, "params.json");
  }
}
