package io.sirocco.prepared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    Files.createDirectories(root.resolve("model"));
    Files.write(root.resolve("model/weight"), new byte[SIZE - 1]);
    Files.write(root.resolve("model/weight.partial"), new byte[2 * SIZE]);

    check(PreparedFolder.open(root, "model").get("weight", SIZE, this::make));
    assertThat(Files.size(root.resolve("model/weight"))).isEqualTo(SIZE);
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

  private void make(ByteBuffer into) {
    made.incrementAndGet();
    for (int i = 0; i < SIZE; i++) {
      into.put(i, (byte) (i % 251));
    }
  }

  private static void check(PreparedWeights.Bytes bytes) {
    assertThat(bytes.ownBytes()).isZero();
    assertThat(bytes.address() % 64).isZero();
    ByteBuffer view = MemoryUtil.directBuffer(bytes.address(), SIZE);
    for (int i = 0; i < SIZE; i++) {
      assertThat(view.get(i)).isEqualTo((byte) (i % 251));
    }
  }
}
