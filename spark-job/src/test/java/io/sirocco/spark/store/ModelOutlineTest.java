package io.sirocco.spark.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.spark.MiniHdfs;
import io.sirocco.spark.RawRelease;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the driver learns of a model without reading its weights. */
class ModelOutlineTest {
  private static final Path SAMPLES = Path.of("../sample-data");
  private static MiniHdfs hdfs;

  private final Configuration hadoop = hdfs.configuration();

  @TempDir private Path folder;

  @BeforeAll
  static void startHdfs() throws IOException {
    hdfs = MiniHdfs.start();
  }

  @AfterAll
  static void stopHdfs() throws IOException {
    hdfs.close();
  }

  private String remote(Path model) throws IOException {
    return hdfs.put(model, "/" + folder.getFileName() + "/" + model.getFileName());
  }

  private static String fingerprint(Path model) {
    return Checkpoint.open(model).fingerprint();
  }

  @Test
  void anOutlineHasTheFingerprintOfTheWhole() throws IOException {
    for (String name : new String[] {"ticket-classifier", "ticket-writer"}) {
      Path model = SAMPLES.resolve(name);
      Path kept;
      try (ModelOutline outline = outline(remote(model))) {
        kept = outline.folder();
        assertThat(fingerprint(kept)).isEqualTo(fingerprint(model));
        assertThat(Files.size(kept.resolve("model.safetensors")))
            .isEqualTo(Files.size(model.resolve("model.safetensors")));
        assertThat(kept.resolve("card.md")).doesNotExist();
      }
      assertThat(kept).doesNotExist();
    }
  }

  @Test
  void preparedWeightsOfAnOutlineAndOfEveryCopyAreTheSame() throws Exception {
    ModelManifest manifest = ModelManifest.of(remote(SAMPLES.resolve("ticket-writer")), hadoop);
    NodeCache cache =
        NodeCache.open(
            new CacheSettings(
                folder.resolve("cache"), CacheSettings.NO_LIMIT, CacheSettings.Check.SIZES));
    String planned;
    try (ModelOutline outline = ModelOutline.open(manifest, hadoop)) {
      planned = Checkpoint.open(outline.folder()).weightsFingerprint();
    }
    for (int fetch = 0; fetch < 2; fetch++) {
      try (LocalModel copy = cache.acquire(manifest, hadoop)) {
        assertThat(copy.fetchedBytes()).isPositive();
        assertThat(Checkpoint.open(copy.folder()).weightsFingerprint()).isEqualTo(planned);
        Files.move(copy.folder(), folder.resolve("removed" + fetch));
      }
    }
  }

  @Test
  void theTimeOfACopyFollowsFromItsContentAlone() throws IOException {
    Path copy = Files.createFile(folder.resolve("copy"));
    assertThat(time(copy, new ModelFile("w.bin", 1, 5_000, "CRC:1", "")))
        .isEqualTo(time(copy, new ModelFile("w.bin", 1, 6_000, "CRC:1", "")))
        .isNotEqualTo(time(copy, new ModelFile("w.bin", 1, 5_000, "CRC:2", "")));
    assertThat(time(copy, new ModelFile("w.bin", 1, 5_000, "", "")).toMillis()).isEqualTo(5_000);
  }

  private static FileTime time(Path copy, ModelFile file) throws IOException {
    file.setContentTime(copy);
    return Files.getLastModifiedTime(copy);
  }

  @Test
  void rawReleasesAreOutlinedToo() throws IOException {
    Path model = RawRelease.write(folder.resolve("raw"));
    try (ModelOutline outline = outline(remote(model))) {
      assertThat(fingerprint(outline.folder())).isEqualTo(fingerprint(model));
      assertThat(outline.folder().resolve("params.json")).exists();
      assertThat(Checkpoint.open(outline.folder()).copiedBytes()).isPositive();
    }
  }

  @Test
  void shardsAreOutlinedToo() throws IOException {
    Path model = shards();
    try (ModelOutline outline = outline(remote(model))) {
      assertThat(fingerprint(outline.folder())).isEqualTo(fingerprint(model));
      long whole = ModelManifest.of(remote(model), hadoop).bytes();
      assertThat(outline.bytesRead()).isLessThan(whole / 2);
    }
  }

  @Test
  void pickledWeightsAreOutlinedToo() throws IOException {
    Path model = Path.of("../model-core/src/test/resources/golden/bin-sharded");
    String uri = remote(model);
    try (ModelOutline outline = outline(uri)) {
      assertThat(fingerprint(outline.folder())).isEqualTo(fingerprint(model));
      assertThat(outline.folder().resolve("cases.json")).doesNotExist();
    }
    Files.createDirectory(folder.resolve("evil"));
    Files.writeString(folder.resolve("evil/config.json"), "{}");
    Files.writeString(folder.resolve("evil/pytorch_model.bin"), "cposix\nsystem\n(S'true'\ntR.");
    String evil = remote(folder.resolve("evil"));
    assertThatThrownBy(() -> outline(evil))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(evil + "/pytorch_model.bin: is not a zip archive")
        .hasMessageContaining("nothing in it was executed");
  }

  @Test
  void theTokenizerOfARawReleaseComesAlongWhereItIsTheOneThatIsRead() throws IOException {
    Path model = Files.createDirectory(folder.resolve("raw"));
    Files.writeString(model.resolve("config.json"), "{}");
    Files.write(model.resolve("model.safetensors"), TestModels.safetensors("one", 64));
    Files.writeString(model.resolve("tokenizer.model.v3"), "pieces");
    Files.writeString(model.resolve("tokenizer.model.old"), "not fetched");
    try (ModelOutline outline = outline(remote(model))) {
      assertThat(outline.folder().resolve("tokenizer.model.v3")).hasContent("pieces");
      assertThat(outline.folder().resolve("tokenizer.model.old")).doesNotExist();
      assertThat(fingerprint(outline.folder())).isEqualTo(fingerprint(model));
    }
    Files.writeString(model.resolve("tekken.json"), "{}");
    try (ModelOutline outline = outline(hdfs.put(model, "/" + folder.getFileName() + "/both"))) {
      assertThat(outline.folder().resolve("tekken.json")).hasContent("{}");
      assertThat(outline.folder().resolve("tokenizer.model.v3")).doesNotExist();
    }
    Files.writeString(model.resolve("tokenizer.json"), "{}");
    try (ModelOutline outline = outline(hdfs.put(model, "/" + folder.getFileName() + "/made"))) {
      assertThat(outline.folder().resolve("tokenizer.json")).hasContent("{}");
      assertThat(outline.folder().resolve("tekken.json")).doesNotExist();
    }
  }

  @Test
  void aShardThatIsCutOffIsNamed() throws IOException {
    Path model = shards();
    Path shard = model.resolve("b.safetensors");
    byte[] whole = Files.readAllBytes(shard);
    Files.write(shard, Arrays.copyOf(whole, whole.length - 100));
    String uri = remote(model);

    assertThatThrownBy(() -> outline(uri))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(uri + "/b.safetensors: tensor two: data_offsets")
        .hasMessageContaining("cut off");

    Files.write(shard, new byte[] {-1, -1, -1, -1, -1, -1, -1, 127, 0});
    String broken = hdfs.put(model, "/" + folder.getFileName() + "/broken");
    assertThatThrownBy(() -> outline(broken))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(broken + "/b.safetensors: header length 9223372036854775807");

    Files.delete(shard);
    String missing = hdfs.put(model, "/" + folder.getFileName() + "/missing");
    assertThatThrownBy(() -> ModelManifest.of(missing, hadoop))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("places tensors in b.safetensors, which is missing");
  }

  @Test
  void foldersThatHoldNoModelAreRefused() throws IOException {
    assertThatThrownBy(() -> ModelManifest.of(hdfs.uri() + "/nowhere", hadoop))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(hdfs.uri() + "/nowhere: does not exist");
    assertThatThrownBy(() -> ModelManifest.of("gopher://host/model", hadoop))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("No FileSystem for scheme \"gopher\"");

    Path model = Files.createDirectory(folder.resolve("model"));
    Files.createFile(model.resolve("consolidated.00.pth"));
    String empty = remote(model);
    assertThatThrownBy(() -> ModelManifest.of(empty, hadoop))
        .hasMessageContaining(
            "config.json: is missing; the folder's files are consolidated.00.pth");
    Files.writeString(model.resolve("config.json"), "{}");
    String weightless = hdfs.put(model, "/" + folder.getFileName() + "/weightless");
    assertThatThrownBy(() -> ModelManifest.of(weightless, hadoop))
        .hasMessageContaining("holds no weights; expected one of model.safetensors");
    for (String shard : new String[] {"../x", "/etc/passwd", "..", "manifest.json", "a\\b"}) {
      String json = "{\"weight_map\": {\"t\": \"" + shard.replace("\\", "\\\\") + "\"}}";
      Files.writeString(model.resolve("model.safetensors.index.json"), json);
      Files.writeString(model.resolve("manifest.json"), "{}");
      String evil = hdfs.put(model, "/" + folder.getFileName() + "/evil-" + json.hashCode());
      assertThatThrownBy(() -> ModelManifest.of(evil, hadoop))
          .as(shard)
          .isInstanceOf(ModelException.class);
    }
  }

  @Test
  void aDigestOfASmallFileIsCheckedByTheDriver() throws IOException {
    Path model = shards();
    Files.writeString(model.resolve("SHA256SUMS"), "ab".repeat(32) + "  config.json\n");
    String uri = remote(model);

    assertThatThrownBy(() -> outline(uri))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(uri + "/config.json: has the SHA-256 digest")
        .hasMessageContaining("gives " + "ab".repeat(32));
  }

  @Test
  void sumsAreReadAsSha256sumWritesThem() {
    String digest = "AB".repeat(32);
    assertThat(Sha256Sums.parse("s", digest + "  a b\r\n\n" + digest + " *./c\n"))
        .isEqualTo(Map.of("a b", "ab".repeat(32), "c", "ab".repeat(32)));
    assertThatThrownBy(() -> Sha256Sums.parse("s", "abc  file"))
        .hasMessageContaining("s: holds the line 'abc  file'");
    assertThatThrownBy(() -> Sha256Sums.parse("s", digest + "  a\n" + "cd".repeat(32) + "  a\n"))
        .hasMessageContaining("gives a two digests");
  }

  private ModelOutline outline(String uri) {
    return ModelOutline.open(ModelManifest.of(uri, hadoop), hadoop);
  }

  private Path shards() throws IOException {
    Path model = Files.createDirectory(folder.resolve("shards"));
    Files.writeString(model.resolve("config.json"), "{}");
    Files.writeString(
        model.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"one\": \"a.safetensors\", \"two\": \"b.safetensors\"}}");
    Files.write(model.resolve("a.safetensors"), TestModels.safetensors("one", 3 << 20));
    Files.write(model.resolve("b.safetensors"), TestModels.safetensors("two", 3 << 20));
    return model;
  }
}
