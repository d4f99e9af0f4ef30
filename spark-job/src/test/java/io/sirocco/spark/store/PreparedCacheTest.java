package io.sirocco.spark.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Prompts;
import io.sirocco.engine.Task;
import io.sirocco.engine.WeightOptions;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.prepared.HostLock;
import io.sirocco.prepared.Keeping;
import io.sirocco.prepared.PreparedFolder;
import io.sirocco.prepared.PreparedPlace;
import io.sirocco.prepared.PreparedRoom;
import io.sirocco.prepared.PrivateFolder;
import io.sirocco.sampling.GenerationOptions;
import io.sirocco.spark.MiniHdfs;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prepared weights, in files of a few MiB, in a cache that threads and processes share. */
class PreparedCacheTest {
  private static final int MIB = 1 << 20;

  @TempDir private Path folder;

  private CacheSettings settings(long maxSize) {
    return new CacheSettings(folder.resolve("cache"), maxSize, CacheSettings.Check.SIZES);
  }

  private Path prepared(String model) {
    return folder.resolve("cache/prepared").resolve(model);
  }

  /** Two weights of a MiB each. */
  private PreparedFolder open(String model, long maxSize) {
    PreparedFolder weights = PrepareMain.open(settings(maxSize), model, 2 * MIB);
    boolean opened = false;
    try {
      weights.get("one", MIB - 100, PreparedCacheTest::make);
      weights.get("two", MIB - 100, PreparedCacheTest::make);
      weights.complete();
      opened = true;
      return weights;
    } finally {
      if (!opened) {
        weights.close();
      }
    }
  }

  private static void make(ByteBuffer into) {
    into.putLong(0, 42);
  }

  /** With this long ago as the last use of it. */
  private void age(Path used, int minutes) throws IOException {
    Files.setLastModifiedTime(used, FileTime.from(Instant.now().minusSeconds(60L * minutes)));
  }

  /** A model's prepared weights, kept open by another process. */
  private record Preparing(Process process, BufferedReader out) {
    static Preparing start(Path cache, List<String> settings, String... arguments)
        throws IOException {
      Process process =
          new ProcessBuilder(AcquireProcess.command(cache, settings, PrepareMain.class, arguments))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      return new Preparing(
          process,
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)));
    }

    String line() throws IOException {
      return out.readLine();
    }

    void end() throws Exception {
      process.getOutputStream().close();
      assertThat(process.waitFor()).isZero();
    }

    /** As {@code kill -9}. */
    void kill() throws InterruptedException {
      process.destroyForcibly().waitFor();
    }
  }

  private Preparing start(List<String> settings, String... arguments) throws IOException {
    return Preparing.start(folder.resolve("cache"), settings, arguments);
  }

  @Test
  void thoseNotUsedForLongestThatNobodyHasOpenAreRemoved() throws Exception {
    open("first", 7 * MIB).close();
    PreparedFolder second = open("second", 7 * MIB);
    open("third", 7 * MIB).close();
    age(prepared("second"), 30);
    age(prepared("first"), 20);
    age(prepared("third"), 10);

    open("fourth", 7 * MIB).close();
    assertThat(prepared("first")).doesNotExist();
    assertThat(prepared("second")).isDirectory();
    assertThat(prepared("third")).isDirectory();
    second.close();
    age(prepared("second"), 30);
    open("fifth", 7 * MIB).close();
    assertThat(prepared("second")).doesNotExist();
    assertThat(prepared("third")).isDirectory();
    assertThat(TestModels.folders(folder.resolve("cache/trash"))).isEmpty();
  }

  @Test
  void useIsNoted() throws Exception {
    open("first", 5 * MIB).close();
    open("second", 5 * MIB).close();
    age(prepared("first"), 30);
    age(prepared("second"), 20);
    open("first", 5 * MIB).close();
    open("third", 5 * MIB).close();
    assertThat(prepared("first")).isDirectory();
    assertThat(prepared("second")).doesNotExist();
  }

  @Test
  void whatAnotherProcessHasOpenStays() throws Exception {
    Preparing other = start(List.of(), "theirs", "2", String.valueOf(MIB - 100));
    assertThat(other.line()).isEqualTo("prepared " + 2 * (MIB - 100));
    age(prepared("theirs"), 30);
    PreparedCache room = new PreparedCache(settings(3 * MIB));
    PreparedPlace mine = new PreparedPlace(folder.resolve("cache/prepared"), "mine");

    assertThat(room.has(mine, 2 * MIB)).isFalse();
    assertThatThrownBy(() -> open("mine", 3 * MIB))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("take 2.0 MiB")
        .hasMessageContaining("spark.sirocco.cache.maxSize allows 3.0 MiB")
        .hasMessageContaining("models in use take 2.0 MiB");
    assertThat(prepared("theirs").resolve("weight1")).exists();

    other.kill();
    assertThat(room.has(mine, 2 * MIB)).isTrue();
    open("mine", 3 * MIB).close();
    assertThat(prepared("theirs")).doesNotExist();
    assertThatThrownBy(() -> open("theirs", MIB))
        .hasMessageContaining("take 2.0 MiB")
        .hasMessageContaining("spark.sirocco.cache.maxSize allows 1.0 MiB");
  }

  @Test
  void copiesAndPreparedWeightsMakeRoomForEachOther() throws Exception {
    try (MiniHdfs hdfs = MiniHdfs.start()) {
      Configuration hadoop = hdfs.configuration();
      String uri = hdfs.put(TestModels.random(folder.resolve("model"), 1, 2 * MIB), "/model");
      ModelManifest manifest = ModelManifest.of(uri, hadoop);
      PreparedFolder weights = open("weights", 3 * MIB);
      NodeCache cache = NodeCache.open(settings(3 * MIB));
      assertThatThrownBy(() -> cache.acquire(manifest, hadoop))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("models in use take 2.0 MiB");

      weights.close();
      LocalModel copy = cache.acquire(manifest, hadoop);
      assertThat(prepared("weights")).doesNotExist();
      assertThatThrownBy(() -> open("weights", 3 * MIB)).isInstanceOf(ModelException.class);

      copy.close();
      open("weights", 3 * MIB).close();
      assertThat(copy.folder()).doesNotExist();
    }
  }

  @Test
  void aProcessThatIsKilledWhileItPreparesLeavesAUsableCache() throws Exception {
    Preparing killed = start(List.of(), "model", "400", String.valueOf(MIB / 2));
    while (!Files.exists(prepared("model").resolve("weight3"))) {
      assertThat(killed.process().isAlive()).isTrue();
      Thread.sleep(2);
    }
    killed.kill();
    PreparedPlace place = new PreparedPlace(folder.resolve("cache/prepared"), "model");
    long there = place.bytes();
    assertThat(place.reserved()).isEqualTo(200L * MIB);
    assertThat(there).isBetween(2L * MIB, 199L * MIB);
    Files.write(place.folder().resolve("weightX.partial"), new byte[MIB]);

    Preparing next = start(List.of(), "model", "400", String.valueOf(MIB / 2));
    String line = next.line();
    System.out.printf("PreparedCacheTest: killed at %d of %d bytes, %s%n", there, 200 * MIB, line);
    assertThat(line).startsWith("prepared ");
    long made = Long.parseLong(line.substring("prepared ".length()));
    assertThat(made).isBetween(200L * MIB - there, 199L * MIB);
    next.end();
    try (var files = Files.list(place.folder())) {
      assertThat(files.map(Path::toString)).noneMatch(name -> name.endsWith(".partial"));
    }
    open("after", 3 * MIB).close();
    assertThat(prepared("model")).doesNotExist();
  }

  @Test
  void roomOfSomeoneElseAtWorkIsNotGivenAway() throws Exception {
    PreparedFolder half = PrepareMain.open(settings(5 * MIB), "half", 4 * MIB);
    half.get("one", MIB - 100, PreparedCacheTest::make);
    assertThatThrownBy(() -> open("other", 5 * MIB))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("models in use take 4.0 MiB");
    half.close();
    open("other", 5 * MIB).close();
    assertThat(prepared("half")).doesNotExist();
  }

  @Test
  void processesThatTakeEachOthersRoomSeeWholeWeightsOnly() throws Exception {
    long limit = 5L * MIB / 2; // two models of a MiB each
    List<String> settings = List.of("-Dspark.sirocco.cache.maxSize=" + limit);
    List<AcquireProcess> processes = new ArrayList<>();
    for (int seed = 1; seed <= 3; seed++) {
      List<String> command =
          AcquireProcess.command(
              folder.resolve("cache"),
              settings,
              PrepareManyMain.class,
              String.valueOf(seed),
              "60",
              "4");
      processes.add(
          new AcquireProcess(
              new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start()));
    }
    List<String> lines = new ArrayList<>();
    for (AcquireProcess process : processes) {
      lines.addAll(process.lines());
    }
    System.out.println("PreparedCacheTest: three processes, four models, room for two: " + lines);
    assertThat(lines)
        .hasSize(3)
        .allSatisfy(line -> assertThat(line).matches("found \\d+ made [1-9]\\d* refused \\d+"));
    long bytes = 0;
    for (PreparedPlace place : PreparedPlace.in(folder.resolve("cache/prepared"))) {
      bytes += place.bytes();
    }
    assertThat(bytes).isBetween(1L, limit);
    assertThat(TestModels.folders(folder.resolve("cache/trash"))).isEmpty();
  }

  @Test
  void foldersOfFormerVersionsGoAsOthersDo() throws Exception {
    PrivateFolder.make(prepared("1-former").getParent());
    Files.createDirectories(prepared("1-former"));
    Files.write(prepared("1-former").resolve("weight.int8"), new byte[2 * MIB]);
    Files.createFile(prepared("1-former").resolve(".lock"));
    age(prepared("1-former"), 30);
    open("new", 5 * MIB).close();
    assertThat(prepared("1-former")).isDirectory();
    open("newer", 5 * MIB).close();
    assertThat(prepared("1-former")).doesNotExist();
    assertThat(prepared("new")).isDirectory();
  }

  @Test
  void foldersOfVersionsWithoutLocksMakeRoomForCopies() throws Exception {
    try (MiniHdfs hdfs = MiniHdfs.start()) {
      String uri = hdfs.put(TestModels.random(folder.resolve("model"), 1, 2 * MIB), "/model");
      ModelManifest manifest = ModelManifest.of(uri, hdfs.configuration());
      Files.createDirectories(prepared("1-former"));
      Files.write(prepared("1-former").resolve("weight.int8"), new byte[2 * MIB]);
      Files.createFile(prepared("1-former").resolve(".lock"));

      NodeCache cache = NodeCache.open(settings(3 * MIB));
      cache.acquire(manifest, hdfs.configuration()).close();
      assertThat(prepared("1-former")).doesNotExist();
    }
  }

  @Test
  void autoUsesCompleteWeightsWhereNoRoomIsLeft() {
    assumeTrue(
        OneDnnKernels.multipliesBfloat16(),
        "this processor does not multiply bfloat16: packed and int8 weights are not tested");
    EngineOptions options =
        EngineOptions.of(
                "../sample-data/ticket-writer",
                new Task.Generate(GenerationOptions.none(), Prompts.chat(""), 0, 4, true))
            .withPrecision(PrecisionChoice.BFLOAT16)
            .withThreads(1)
            .withWeights(
                new WeightOptions(
                    WeightOptions.Form.AUTO, folder.resolve("cache/prepared").toString()));
    Keeping full = PreparedCache.keeping(settings(100_000));
    assertThat(notes(options, full)).contains("weights are read as they are stored");
    assertThat(notes(options, PreparedCache.keeping(settings(CacheSettings.NO_LIMIT))))
        .contains("weights are kept packed");
    assertThat(notes(options, full)).contains("weights are kept packed");
  }

  private static String notes(EngineOptions options, Keeping keeping) {
    try (Engine engine = Engine.open(options, keeping)) {
      return String.join("; ", engine.plan().notes());
    }
  }

  @Test
  void whatIsLookedAtForAMomentIsTriedAgain() throws Exception {
    open("old", 3 * MIB).close();
    HostLock look =
        HostLock.tryExclusive(new PreparedPlace(folder.resolve("cache/prepared"), "old").useLock())
            .orElseThrow();
    Thread looking =
        new Thread(
            () -> {
              sleep(20);
              look.close();
            });
    looking.start();
    open("new", 3 * MIB).close();
    looking.join();
    assertThat(prepared("old")).doesNotExist();
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void planningCountsTheCopyThatIsGoingToBeThere() throws Exception {
    try (MiniHdfs hdfs = MiniHdfs.start()) {
      String uri = hdfs.put(TestModels.random(folder.resolve("model"), 1, 2 * MIB), "/model");
      ModelManifest manifest = ModelManifest.of(uri, hdfs.configuration());
      PreparedPlace place = new PreparedPlace(folder.resolve("cache/prepared"), "weights");
      for (String state : List.of("no cache", "a cache", "the copy")) {
        for (int limit = 3; limit <= 5; limit += 2) {
          PreparedRoom room =
              PreparedCache.keeping(settings(limit * (long) MIB), List.of(manifest)).room();
          assertThat(room.has(place, 2 * MIB)).as(state).isEqualTo(limit == 5);
        }
        NodeCache cache = NodeCache.open(settings(CacheSettings.NO_LIMIT));
        if (state.equals("a cache")) {
          cache.acquire(manifest, hdfs.configuration()).close();
        }
      }
    }
  }

  @Test
  void halfMadeWeightsThatNobodyWorksOnGoFirst() throws Exception {
    open("whole", 5 * MIB).close();
    PreparedFolder half = PrepareMain.open(settings(5 * MIB), "half", 2 * MIB);
    half.get("one", MIB - 100, PreparedCacheTest::make);
    half.close();
    age(prepared("whole"), 30);
    open("new", 5 * MIB).close();
    assertThat(prepared("half")).doesNotExist();
    assertThat(prepared("whole")).isDirectory();
  }

  @Test
  void preparedIsAFolderOfItsOwn() throws Exception {
    CacheFolder.open(folder.resolve("cache"));
    Files.createSymbolicLink(
        folder.resolve("cache/prepared"), Files.createDirectory(folder.resolve("elsewhere")));
    PreparedPlace place = new PreparedPlace(folder.resolve("cache/prepared"), "model");
    PreparedRoom room = PreparedCache.keeping(settings(MIB)).room();
    assertThatThrownBy(() -> room.has(place, 1))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("prepared is a link or a file, expected a folder");
    assertThatThrownBy(() -> room.reserve(place, 1))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("prepared is a link or a file, expected a folder");
    NodeCache.open(settings(MIB)); // Copies of models have nothing to do with it.
  }

  @Test
  void damagedWeightsAreMadeAnewOnRequest() throws Exception {
    String[] model = {"model", "3", String.valueOf(MIB)};
    Preparing first = start(List.of(), model);
    assertThat(first.line()).isEqualTo("prepared " + 3 * MIB);
    first.end();
    Path damaged = prepared("model").resolve("weight1");
    byte[] intact = Files.readAllBytes(damaged);
    try (FileChannel channel = FileChannel.open(damaged, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {17}), MIB / 3);
    }

    Preparing trusting = start(List.of(), model);
    assertThat(trusting.line()).isEqualTo("prepared 0");
    Preparing checking = start(List.of("-Dspark.sirocco.cache.verify=true"), model);
    assertThat(checking.line()).isEqualTo("prepared " + MIB);
    assertThat(damaged).hasBinaryContent(intact);
    Preparing again = start(List.of("-Dspark.sirocco.cache.verify=true"), model);
    assertThat(again.line()).isEqualTo("prepared 0");
    for (Preparing process : List.of(trusting, checking, again)) {
      process.end();
    }
  }
}
