package io.sirocco.spark.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.spark.MiniHdfs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models of a real HDFS in a cache that threads and processes share. */
class NodeCacheTest {
  private static final int MIB = 1 << 20;
  private static final Download.Pieces SMALL = new Download.Pieces(MIB / 2, 3);
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

  private Path cacheFolder() {
    return folder.resolve("cache");
  }

  private NodeCache cache() {
    return cache(CacheSettings.NO_LIMIT);
  }

  private NodeCache cache(long maxSize) {
    return NodeCache.open(
        new CacheSettings(cacheFolder(), maxSize, CacheSettings.Check.SIZES), SMALL);
  }

  /** On HDFS, under a name of this test's own. */
  private String remote(Path model) throws IOException {
    return hdfs.put(model, "/" + folder.getFileName() + "/" + model.getFileName());
  }

  private void overwrite(String uri, byte[] bytes) throws IOException {
    try (var out = hdfs.files().create(new org.apache.hadoop.fs.Path(uri))) {
      out.write(bytes);
    }
  }

  private void requireUsableCache() throws IOException {
    assertThat(TestModels.folders(cacheFolder().resolve("partial"))).isEmpty();
    Path model = TestModels.random(folder.resolve("afterwards"), 99, 3 * MIB);
    try (LocalModel copy = cache().acquire(ModelManifest.of(remote(model), hadoop), hadoop)) {
      TestModels.requireSame(copy.folder(), model);
    }
  }

  @Test
  void threadsFetchAModelOnce() throws IOException {
    Path model = TestModels.random(folder.resolve("model"), 1, 5 * MIB + 12345);
    ModelManifest manifest = ModelManifest.of(remote(model), hadoop);

    assertThat(manifest.files())
        .allSatisfy(file -> assertThat(file.checksum()).startsWith("COMPOSITE-CRC32C:"));
    List<LocalModel> copies =
        IntStream.range(0, 8)
            .mapToObj(i -> CompletableFuture.supplyAsync(() -> cache().acquire(manifest, hadoop)))
            .toList()
            .stream()
            .map(CompletableFuture::join)
            .toList();

    assertThat(copies).extracting(LocalModel::folder).containsOnly(copies.get(0).folder());
    assertThat(copies.stream().mapToLong(LocalModel::fetchedBytes).sum())
        .isEqualTo(manifest.bytes());
    TestModels.requireSame(copies.get(0).folder(), model);
    copies.forEach(LocalModel::close);
    for (String name : List.of("", "models", "partial", "locks", "trash")) {
      assertThat(Files.getPosixFilePermissions(cacheFolder().resolve(name)))
          .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    }
    assertThat(TestModels.folders(cacheFolder().resolve("partial"))).isEmpty();
  }

  @Test
  void processesFetchTwoModelsOnceEach() throws IOException {
    String one = remote(TestModels.random(folder.resolve("one"), 1, 20 * MIB));
    String two = remote(TestModels.random(folder.resolve("two"), 2, 20 * MIB));

    List<AcquireProcess> processes =
        List.of(
            AcquireProcess.start(cacheFolder(), List.of(), one, two),
            AcquireProcess.start(cacheFolder(), List.of(), two, one),
            AcquireProcess.start(cacheFolder(), List.of(), one, two));
    List<String> lines = new ArrayList<>();
    for (AcquireProcess process : processes) {
      lines.addAll(process.lines());
    }

    System.out.println("NodeCacheTest: three processes, two models: " + lines);
    assertThat(lines).hasSize(6).allSatisfy(line -> assertThat(line).startsWith("fetched "));
    for (String uri : List.of(one, two)) {
      long bytes = ModelManifest.of(uri, hadoop).bytes();
      assertThat(lines.stream().filter(line -> line.endsWith(uri)))
          .containsExactlyInAnyOrder(
              "fetched " + bytes + " " + uri, "fetched 0 " + uri, "fetched 0 " + uri);
    }
    requireUsableCache();
  }

  @Test
  void aKilledDownloadIsContinued() throws Exception {
    Path model = TestModels.random(folder.resolve("model"), 3, 96 * MIB);
    ModelManifest manifest = ModelManifest.of(remote(model), hadoop);
    long safe = killDownload(manifest);

    try (LocalModel copy = cache().acquire(manifest, hadoop)) {
      System.out.printf(
          "NodeCacheTest: killed at %d of %d bytes, %d fetched afterwards%n",
          safe, manifest.bytes(), copy.fetchedBytes());
      assertThat(copy.fetchedBytes()).isEqualTo(manifest.bytes() - safe);
      TestModels.requireSame(copy.folder(), model);
    }
    requireUsableCache();
  }

  @Test
  void aDamagedRangeIsFetchedAgain() throws Exception {
    Path model = TestModels.random(folder.resolve("model"), 4, 96 * MIB);
    ModelManifest manifest = ModelManifest.of(remote(model), hadoop);
    long safe = killDownload(manifest);
    Path partial = TestModels.folders(cacheFolder().resolve("partial")).get(0);
    FetchedRange range =
        Journal.read(partial.resolve("journal")).stream()
            .filter(candidate -> candidate.file().equals("model.safetensors"))
            .findFirst()
            .orElseThrow();
    flip(partial.resolve("files/model.safetensors"), range.offset() + range.size() / 2);
    Files.writeString(
        partial.resolve("journal"), "0 77 0000", StandardOpenOption.APPEND); // torn in writing

    try (LocalModel copy = cache().acquire(manifest, hadoop)) {
      assertThat(copy.fetchedBytes()).isEqualTo(manifest.bytes() - safe + range.size());
      TestModels.requireSame(copy.folder(), model);
    }
    requireUsableCache();
  }

  /** Bytes that the killed process has made safe: some, but not all. */
  private long killDownload(ModelManifest manifest) throws Exception {
    AcquireProcess process = AcquireProcess.start(cacheFolder(), List.of(), manifest.source());
    while (TestModels.journaledBytes(cacheFolder()) < 8 * MIB) {
      assertThat(process.process().isAlive()).isTrue();
      Thread.sleep(2);
    }
    process.kill();
    long safe = TestModels.journaledBytes(cacheFolder());
    assertThat(safe).isBetween(8L * MIB, manifest.bytes() - MIB);
    assertThat(TestModels.folders(cacheFolder().resolve("models"))).isEmpty();
    return safe;
  }

  private static void flip(Path file, long offset) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, offset);
      channel.write(ByteBuffer.wrap(new byte[] {(byte) ~one.get(0)}), offset);
    }
  }

  @Test
  void aModelThatChangedBetweenTwoExecutorsReadsIsRefused() throws IOException {
    Path model = TestModels.random(folder.resolve("model"), 5, 2 * MIB);
    String uri = remote(model);
    ModelManifest before = ModelManifest.of(uri, hadoop);
    cache().acquire(before, hadoop).close();
    overwrite(uri + "/model.safetensors", TestModels.weights(6, 2 * MIB));

    NodeCache otherHost =
        NodeCache.open(
            new CacheSettings(
                folder.resolve("other"), CacheSettings.NO_LIMIT, CacheSettings.Check.SIZES));
    assertThatThrownBy(() -> otherHost.acquire(before, hadoop))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(uri + "/model.safetensors: the model changed while it was read")
        .hasMessageContaining("run the job again");

    ModelManifest after = ModelManifest.of(uri, hadoop);
    assertThat(after.contentId()).isNotEqualTo(before.contentId());
    try (LocalModel old = cache().acquire(before, hadoop);
        LocalModel changed = otherHost.acquire(after, hadoop)) {
      TestModels.requireSame(old.folder(), model);
      assertThat(changed.folder().resolve("model.safetensors"))
          .hasBinaryContent(TestModels.weights(6, 2 * MIB));
    }
    requireUsableCache();
  }

  @Test
  void aModelThatChangesWhileItIsFetchedIsRefused() throws Exception {
    String uri = remote(TestModels.random(folder.resolve("model"), 7, 96 * MIB));
    AcquireProcess process = AcquireProcess.start(cacheFolder(), List.of(), uri);
    while (TestModels.journaledBytes(cacheFolder()) < 4 * MIB) {
      assertThat(process.process().isAlive()).isTrue();
      Thread.sleep(2);
    }
    overwrite(uri + "/model.safetensors", TestModels.weights(8, 3 * MIB));

    assertThat(process.lines())
        .singleElement()
        .asString()
        .startsWith("failed " + uri + "/model.safetensors: the model changed while it was read");
    requireUsableCache();
    try (LocalModel changed = cache().acquire(ModelManifest.of(uri, hadoop), hadoop)) {
      assertThat(changed.folder().resolve("model.safetensors"))
          .hasBinaryContent(TestModels.weights(8, 3 * MIB));
    }
  }

  @Test
  void aDigestThatDiffersIsRefused() throws IOException {
    Path model = TestModels.random(folder.resolve("model"), 9, 2 * MIB);
    String digest = Digests.sha256(model.resolve("model.safetensors"));
    String other = "0".repeat(64);
    Path sums = model.resolve("SHA256SUMS");
    Files.writeString(sums, other + "  ./model.safetensors\n" + other + " *README.md\n");
    String uri = remote(model);

    assertThatThrownBy(() -> cache().acquire(ModelManifest.of(uri, hadoop), hadoop))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(uri + "/model.safetensors: has the SHA-256 digest " + digest)
        .hasMessageContaining("gives " + other);
    requireUsableCache();

    overwrite(
        uri + "/SHA256SUMS", (digest + "  model.safetensors\n").getBytes(StandardCharsets.UTF_8));
    try (LocalModel copy = cache().acquire(ModelManifest.of(uri, hadoop), hadoop)) {
      TestModels.requireSame(copy.folder(), model);
    }
  }

  @Test
  void theLeastRecentlyUsedThatNobodyMapsIsRemoved() throws Exception {
    List<ModelManifest> models = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      models.add(
          ModelManifest.of(
              remote(TestModels.random(folder.resolve("model" + i), i, 2 * MIB)), hadoop));
    }
    NodeCache cache = cache(7 * MIB); // three of them, not four
    LocalModel first = cache.acquire(models.get(0), hadoop);
    cache.acquire(models.get(1), hadoop).close();
    Thread.sleep(5); // times of use are in milliseconds
    LocalModel third = cache.acquire(models.get(2), hadoop);
    LocalModel fourth = cache.acquire(models.get(3), hadoop);

    assertThat(TestModels.folders(cacheFolder().resolve("models")))
        .containsExactlyInAnyOrder(first.folder(), third.folder(), fourth.folder());
    assertThatThrownBy(() -> cache.acquire(models.get(1), hadoop))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("spark.sirocco.cache.maxSize allows 7.0 MiB")
        .hasMessageContaining("models in use take 6.0 MiB");
    third.close();
    try (LocalModel again = cache.acquire(models.get(1), hadoop)) {
      assertThat(again.fetchedBytes()).isEqualTo(models.get(1).bytes());
      assertThat(third.folder()).doesNotExist();
      assertThat(first.folder()).exists();
    }
    assertThatThrownBy(() -> cache(MIB).acquire(models.get(2), hadoop))
        .hasMessageContaining("has 2.0 MiB")
        .hasMessageContaining("spark.sirocco.cache.maxSize allows 1.0 MiB");
    first.close();
    fourth.close();
    requireUsableCache();
  }

  @Test
  void checksumsOfACopyAreComputedOnRequest() throws IOException {
    Path model = TestModels.random(folder.resolve("model"), 11, 2 * MIB);
    String uri = remote(model);
    LocalModel copy = cache().acquire(ModelManifest.of(uri, hadoop), hadoop);
    copy.close();
    flip(copy.folder().resolve("model.safetensors"), 1000);

    assertThat(AcquireProcess.start(cacheFolder(), List.of(), uri).lines())
        .containsExactly("fetched 0 " + uri);
    List<String> verify = List.of("-Dspark.sirocco.cache.verify=true");
    assertThat(AcquireProcess.start(cacheFolder(), verify, uri).lines())
        .containsExactly("fetched " + ModelManifest.of(uri, hadoop).bytes() + " " + uri);
    TestModels.requireSame(copy.folder(), model);
    assertThat(AcquireProcess.start(cacheFolder(), verify, uri).lines())
        .containsExactly("fetched 0 " + uri);
  }

  @Test
  void aCopyOfOtherSizesIsFetchedAgain() throws IOException {
    Path model = TestModels.random(folder.resolve("model"), 12, 2 * MIB);
    ModelManifest manifest = ModelManifest.of(remote(model), hadoop);
    LocalModel copy = cache().acquire(manifest, hadoop);
    copy.close();
    Files.write(copy.folder().resolve("model.safetensors"), new byte[MIB]);

    try (LocalModel again = cache().acquire(manifest, hadoop)) {
      assertThat(again.fetchedBytes()).isEqualTo(manifest.bytes());
      TestModels.requireSame(again.folder(), model);
    }
  }

  @Test
  void aFolderThatCannotBeMadeIsSaid() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    CacheSettings settings =
        new CacheSettings(file.resolve("cache"), CacheSettings.NO_LIMIT, CacheSettings.Check.SIZES);

    assertThatThrownBy(() -> NodeCache.open(settings))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("set spark.sirocco.cache.dir to a folder on a local disk");
  }

  @Test
  void settingsThatCannotBeMeantAreRefused() {
    assertThat(CacheSettings.of(conf("spark.sirocco.cache.maxSize", "200g")).maxSize())
        .isEqualTo(200L << 30);
    assertThat(CacheSettings.of(new SparkConf(false)).folder())
        .endsWithRaw(Path.of("sirocco/models"));
    assertThatThrownBy(() -> CacheSettings.of(conf("spark.sirocco.cache.dir", "~/cache")))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("spark.sirocco.cache.dir: is ~/cache, expected an absolute path");
    assertThatThrownBy(() -> CacheSettings.of(conf("spark.sirocco.cache.maxSize", "much")))
        .isInstanceOf(ModelException.class);
    assertThatThrownBy(() -> CacheSettings.of(conf("spark.sirocco.cache.verify", "perhaps")))
        .isInstanceOf(ModelException.class);
  }

  private static SparkConf conf(String key, String value) {
    return new SparkConf().set(key, value);
  }
}
