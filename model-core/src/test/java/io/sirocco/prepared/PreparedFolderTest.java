package io.sirocco.prepared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.memory.util.MemoryUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreparedFolderTest {
  private static final int SIZE = 100_000;
  private static final Keeping CHECKSUMS = new Keeping(Keeping.Check.CHECKSUMS, PreparedRoom.DISK);

  @TempDir private Path root;
  private final AtomicInteger made = new AtomicInteger();

  @Test
  void whatIsThereIsMappedAndNotMadeAgain() {
    PreparedFolder first = PreparedFolder.open(root, "model");
    check(first.get("weight", SIZE, this::make));
    assertThat(first.made().bytes()).isEqualTo(SIZE);

    PreparedFolder second = PreparedFolder.open(root, "model");
    check(second.get("weight", SIZE, this::make));
    assertThat(second.made().bytes()).isZero();
    assertThat(made).hasValue(1);
  }

  @Test
  void modelsAndNamesAreKeptApart() {
    PreparedFolder.open(root, "model").get("weight", SIZE, this::make);
    PreparedFolder.open(root, "other").get("weight", SIZE, this::make);
    PreparedFolder.open(root, "other").get("weight.int8", SIZE, this::make);
    assertThat(made).hasValue(3);
  }

  @Test
  void allWhoAskAtTheSameTimeGetTheOneThatIsMade() throws Exception {
    ExecutorService askers = Executors.newFixedThreadPool(8);
    List<Callable<PreparedWeights.Bytes>> questions = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      questions.add(() -> PreparedFolder.open(root, "model").get("weight", SIZE, this::make));
    }
    for (Future<PreparedWeights.Bytes> answer : askers.invokeAll(questions)) {
      check(answer.get());
    }
    askers.shutdown();
    assertThat(made).hasValue(1);
  }

  @Test
  void whatHasAnotherSizeOrIsHalfMadeIsMadeAnew() throws IOException {
    PreparedFolder.open(root, "model").close();
    Files.write(root.resolve("model/weight"), new byte[SIZE - 1]);
    Files.write(root.resolve("model/weight.partial"), new byte[2 * SIZE]);

    check(PreparedFolder.open(root, "model").get("weight", SIZE, this::make));
    assertThat(Files.size(root.resolve("model/weight")))
        .isEqualTo(SIZE + PreparedFile.CHECKSUM_LINE);
    assertThat(root.resolve("model/weight.partial")).doesNotExist();
  }

  @Test
  void makerThatFailsLeavesNothing() {
    PreparedFolder folder = PreparedFolder.open(root, "model");
    assertThatThrownBy(
            () ->
                folder.get(
                    "weight",
                    SIZE,
                    into -> {
                      throw new IllegalStateException("no such weight");
                    }))
        .hasMessage("no such weight");
    assertThat(root.resolve("model/weight")).doesNotExist();
    assertThat(root.resolve("model/weight.partial")).doesNotExist();
    check(folder.get("weight", SIZE, this::make));
  }

  @Test
  void folderThatCannotBeMadeIsNamed() throws IOException {
    Path file = Files.createFile(root.resolve("file"));
    assertThatThrownBy(() -> PreparedFolder.open(file, "model"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(file.toString());
  }

  @Test
  void namesThatLeadElsewhereAreRefused() {
    PreparedFolder folder = PreparedFolder.open(root, "model");
    assertThatIllegalArgumentException().isThrownBy(() -> PreparedFolder.open(root, "../model"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> folder.get("../weight", SIZE, this::make));
    assertThatIllegalArgumentException().isThrownBy(() -> folder.get(".lock", SIZE, this::make));
  }

  @Test
  void damageIsFoundWhereChecksumsAreAskedFor() throws IOException {
    PreparedPlace place = ofAnotherProcess("weight", "other");
    flip(place.folder().resolve("weight"), SIZE / 2);
    FileTime intact = Files.getLastModifiedTime(place.folder().resolve("other"));

    byte[] damaged = Files.readAllBytes(place.folder().resolve("weight"));
    PreparedFolder.open(place, Keeping.PLAIN, 0).get("weight", SIZE, this::make);
    assertThat(place.folder().resolve("weight")).hasBinaryContent(damaged);

    PreparedFolder checking = PreparedFolder.open(place, CHECKSUMS, 0);
    check(checking.get("weight", SIZE, this::make));
    check(checking.get("other", SIZE, this::make));
    assertThat(checking.made().bytes()).isEqualTo(SIZE);
    assertThat(Files.getLastModifiedTime(place.folder().resolve("other"))).isEqualTo(intact);
    assertThat(made).hasValue(3);
  }

  @Test
  void damagedOrMissingChecksumIsNoChecksum() throws IOException {
    PreparedPlace place = ofAnotherProcess("weight", "other");
    flip(place.folder().resolve("weight"), SIZE + PreparedFile.CHECKSUM_LINE - 2);
    try (FileChannel other =
        FileChannel.open(place.folder().resolve("other"), StandardOpenOption.WRITE)) {
      other.truncate(SIZE);
    }

    PreparedFolder checking = PreparedFolder.open(place, CHECKSUMS, 0);
    check(checking.get("weight", SIZE, this::make));
    check(checking.get("other", SIZE, this::make));
    assertThat(made).hasValue(4);
  }

  @Test
  void aFileThatAnotherProcessHasMadeAnewIsLookedAt() throws IOException {
    PreparedPlace place = new PreparedPlace(root, "model");
    PreparedFolder folder = PreparedFolder.open(place, CHECKSUMS, 0);
    folder.get("weight", SIZE, this::make);
    Path file = place.folder().resolve("weight");
    flip(file, SIZE / 2);
    Files.setLastModifiedTime(file, FileTime.fromMillis(1000));
    check(folder.get("weight", SIZE, this::make));
    assertThat(made).hasValue(2);
  }

  @Test
  void aModelsFolderThatOthersCanWriteToIsRefused() throws IOException {
    PreparedFolder.open(root, "model").close();
    Path model = root.resolve("model");
    Set<PosixFilePermission> rights = Files.getPosixFilePermissions(model);
    for (String shared : List.of("rwxrwx---", "rwxr-xrwx")) {
      Files.setPosixFilePermissions(model, PosixFilePermissions.fromString(shared));
      assertThatThrownBy(() -> PreparedFolder.open(root, "model"))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining(model + " has the rights " + shared)
          .hasMessageContaining("chmod go-w");
    }
    Files.setPosixFilePermissions(model, rights);
    PreparedFolder.open(root, "model").close();
  }

  @Test
  void theFolderOfAllModelsIsTakenFromOthers() throws IOException {
    Path locks = Files.createDirectories(root.resolve("prepared/.locks"));
    for (Path folder : List.of(locks.getParent(), locks)) {
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    }
    PreparedFolder.open(root.resolve("prepared"), "model").close();
    for (Path folder : List.of(locks.getParent(), locks)) {
      assertThat(Files.getPosixFilePermissions(folder))
          .isEqualTo(PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  @Test
  void anotherUsersFolderIsRefused() throws IOException {
    assumeTrue(
        Files.getAttribute(root, "unix:uid").equals(0),
        "only root can make folders of other users: that those are refused is not tested");
    PreparedFolder.open(root, "model").close();
    Files.setAttribute(root.resolve("model"), "unix:uid", 12345);
    assertThatThrownBy(() -> PreparedFolder.open(root, "model"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("belongs to 12345, expected");
  }

  @Test
  void foldersAreMadeForTheirOwnerAlone() throws IOException {
    Path cache = root.resolve("cache");
    PreparedFolder.open(cache.resolve("prepared"), "model").close();
    for (String name : List.of("", "prepared", "prepared/.locks", "prepared/model")) {
      assertThat(Files.getPosixFilePermissions(cache.resolve(name)))
          .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    }
  }

  @Test
  void anInterruptIsNoWantOfRoom() {
    PreparedFolder folder = PreparedFolder.open(root, "model");
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> folder.get("weight", SIZE, this::make))
        .isInstanceOf(IllegalStateException.class)
        .isNotInstanceOf(ModelException.class)
        .hasMessageContaining("interrupted");
    assertThat(Thread.interrupted()).isTrue();
    assertThat(root.resolve("model/weight.partial")).doesNotExist();
    check(folder.get("weight", SIZE, this::make));
  }

  @Test
  void weightsAreCompleteWhenAllAreThere() throws IOException {
    PreparedPlace place = new PreparedPlace(root, "model");
    assertThat(place.isComplete(0)).isFalse();
    PreparedFolder folder = PreparedFolder.open(place, Keeping.PLAIN, 0);
    folder.get("one", SIZE, this::make);
    folder.get("two", SIZE, this::make);
    place.reserve(1);
    assertThat(place.isComplete(0)).isFalse();
    folder.complete();
    assertThat(place.isComplete(place.bytes())).isTrue();
    assertThat(place.isComplete(place.bytes() + 1)).isFalse();

    PreparedFolder part = PreparedFolder.open(place, Keeping.PLAIN, 0);
    part.get("one", SIZE, this::make);
    part.complete();
    assertThat(place.isComplete(place.bytes())).isTrue();
    Files.move(place.folder().resolve("one"), place.folder().resolve("one.partial"));
    assertThat(place.isComplete(0)).isFalse();
  }

  /** A process looks at a file once; this one has not made those. */
  private PreparedPlace ofAnotherProcess(String... names) throws IOException {
    try (PreparedFolder folder = PreparedFolder.open(root.resolve("elsewhere"), "model")) {
      for (String name : names) {
        folder.get(name, SIZE, this::make);
      }
    }
    Files.move(root.resolve("elsewhere"), root.resolve("here"));
    return new PreparedPlace(root.resolve("here"), "model");
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
  void roomIsMadeOnceBeforeTheFirstIsMadeAndForMoreWhereThereIsMore() {
    PreparedPlace place = new PreparedPlace(root, "model");
    Limit limit = new Limit(4L * SIZE);
    Keeping keeping = new Keeping(Keeping.Check.SIZES, limit);
    PreparedFolder folder = PreparedFolder.open(place, keeping, 2L * SIZE + 100);
    assertThat(limit.asked).isEmpty();
    folder.get("one", SIZE, this::make);
    folder.get("two", SIZE, this::make);
    assertThat(limit.asked).containsExactly(2L * SIZE + 100);
    folder.get("three", SIZE, this::make);
    assertThat(limit.asked)
        .containsExactly(2L * SIZE + 100, 3L * (SIZE + PreparedFile.CHECKSUM_LINE));

    assertThatThrownBy(() -> folder.get("four", SIZE, this::make))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("no room");
    assertThat(place.folder().resolve("four")).doesNotExist();
    PreparedFolder found = PreparedFolder.open(place, keeping, 3L * SIZE);
    check(found.get("three", SIZE, this::make));
    assertThat(limit.asked).hasSize(3);
  }

  /** Refuses what is larger. */
  private static final class Limit implements PreparedRoom {
    private final List<Long> asked = new ArrayList<>();
    private final long bytes;

    Limit(long bytes) {
      this.bytes = bytes;
    }

    @Override
    public boolean has(PreparedPlace place, long wanted) {
      return wanted <= bytes;
    }

    @Override
    public void reserve(PreparedPlace place, long wanted) {
      asked.add(wanted);
      if (wanted > bytes) {
        throw new ModelException(place.folder().toString(), "no room");
      }
    }
  }

  @Test
  void nobodyCanRemoveWhatIsOpen() {
    PreparedPlace place = new PreparedPlace(root, "model");
    PreparedFolder one = PreparedFolder.open(root, "model");
    PreparedFolder two = PreparedFolder.open(root, "model");
    one.close();
    one.close();
    assertThat(HostLock.tryExclusive(place.useLock())).isEmpty();
    two.close();
    try (HostLock removing = HostLock.tryExclusive(place.useLock()).orElseThrow()) {
      assertThat(removing).isNotNull();
      assertThat(HostLock.tryExclusive(place.useLock())).isEmpty();
    }
  }

  @Test
  void whatIsReservedIsKnownToOthersAndRubbishIsNothing() throws IOException {
    PreparedFolder.open(root, "model").get("weight", SIZE, this::make);
    PreparedPlace place = PreparedPlace.in(root).get(0);
    assertThat(PreparedPlace.in(root)).containsExactly(new PreparedPlace(root, "model"));
    assertThat(place.bytes()).isEqualTo(SIZE + PreparedFile.CHECKSUM_LINE);
    assertThat(place.reserved()).isZero();
    place.reserve(12345);
    assertThat(place.reserved()).isEqualTo(12345);
    Files.writeString(place.folder().resolve(".whole"), "9".repeat(1000));
    assertThat(place.reserved()).isZero();
    assertThat(PreparedPlace.in(root.resolve("nowhere"))).isEmpty();
    assertThat(new PreparedPlace(root, "nothing").bytes()).isZero();
  }

  private void make(ByteBuffer into) {
    made.incrementAndGet();
    for (int i = 0; i < SIZE; i++) {
      into.put(i, (byte) (i % 251));
    }
  }

  private static void check(PreparedWeights.Bytes bytes) {
    assertThat(bytes.ownBytes()).isZero();
    assertThat(bytes.address() % 64).isZero();
    ByteBuffer view = (ByteBuffer) bytes.owner();
    assertThat(MemoryUtil.getByteBufferAddress(view)).isEqualTo(bytes.address());
    assertThat(view.remaining()).isEqualTo(SIZE);
    for (int i = 0; i < SIZE; i++) {
      assertThat(view.get(i)).isEqualTo((byte) (i % 251));
    }
  }
}
