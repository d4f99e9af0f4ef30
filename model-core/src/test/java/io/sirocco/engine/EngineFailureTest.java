package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.memory.BufferAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What callers see of an engine that breaks, and what it has counted until then. */
class EngineFailureTest {
  /** Slow enough to be caught at it. */
  private static final int LONG_ROW = 3000;

  @Test
  void aBatchBeyondItsDeadlineBreaksTheEngineAndNobodyWaits() throws Exception {
    Engine engine = Engine.open(java(Duration.ofMillis(1)));
    BufferAllocator allocator = engine.allocator();
    List<Future<RowOutcome>> rows = new ArrayList<>();
    // Made before the clock runs: the second must come before the first is late.
    RowRequest first = row(LONG_ROW);
    RowRequest second = row(LONG_ROW);
    try {
      rows.add(engine.submit(first));
      rows.add(engine.submit(second));
      for (Future<RowOutcome> row : rows) {
        assertThatThrownBy(() -> row.get(30, TimeUnit.SECONDS))
            .isInstanceOf(ExecutionException.class)
            .hasCauseInstanceOf(EngineFailedException.class)
            .hasMessageContaining("batch.deadline, which is 0.001s")
            .hasMessageContaining("1 rows and " + LONG_ROW + " tokens");
      }
      assertThat(engine.failure()).isPresent();
      assertThatThrownBy(() -> engine.submit(row(5)))
          .isInstanceOf(EngineFailedException.class)
          .hasMessageContaining("batch.deadline");
    } finally {
      long start = System.nanoTime();
      long held = allocator.getAllocatedMemory();
      engine.close();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
      assertThat(held).as("the batch is still computed").isPositive();
    }
    waitUntilFreed(allocator);
    assertThat(engine.statistics().rows().done()).isZero();
  }

  private static void waitUntilFreed(BufferAllocator allocator) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
    while (allocator.getAllocatedMemory() > 0 && System.nanoTime() < end) {
      Thread.sleep(20);
    }
    assertThat(allocator.getAllocatedMemory()).isZero();
  }

  @Test
  void closingABatchThatIsLateWaitsForItsDeadlineAndNoLonger() throws Exception {
    Engine engine = Engine.open(java(Duration.ofMillis(300)));
    Future<RowOutcome> row = engine.submit(row(4000));
    while (engine.statistics().memory().owned() == 0) {
      Thread.sleep(1);
    }
    engine.close();
    assertThatThrownBy(row::get).hasCauseInstanceOf(EngineFailedException.class);
    waitUntilFreed(engine.allocator());
  }

  @Test
  void withoutADeadlineABatchTakesAsLongAsItLikes() throws Exception {
    try (Engine engine = Engine.open(java(Duration.ZERO))) {
      assertThat(engine.submit(row(200)).get()).isInstanceOf(RowOutcome.Scored.class);
    }
  }

  @Test
  void weightsThatVanishUnderTheMappingBreakTheEngine(@TempDir Path folder) throws Exception {
    Path source = Path.of(SampleModel.options().model());
    for (String file : List.of("config.json", "tokenizer.json", "model.safetensors")) {
      Files.copy(source.resolve(file), folder.resolve(file));
    }
    try (Engine engine = Engine.open(at(folder.toString(), Duration.ZERO))) {
      assertThat(engine.submit(row(20)).get()).isInstanceOf(RowOutcome.Scored.class);
      truncate(folder.resolve("model.safetensors"));
      List<Future<RowOutcome>> rows = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        rows.add(engine.submit(row(20)));
      }
      for (Future<RowOutcome> row : rows) {
        assertThatThrownBy(() -> row.get(1, TimeUnit.MINUTES))
            .hasCauseInstanceOf(EngineFailedException.class)
            .hasMessageContaining("InternalError");
      }
      EngineFailedException failure = engine.failure().orElseThrow();
      assertThat(failure).hasNoCause();
      assertThat(failure.getSuppressed()[0]).isInstanceOf(Error.class);
    } catch (EngineFailedException e) { // It may break while rows are still submitted.
      assertThat(e).hasMessageContaining("InternalError");
    }
  }

  private static void truncate(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(4096);
    }
  }

  @Test
  void memoryThatOthersHoldIsTheEnginesFaultAndNotTheRows() throws Exception {
    try (Engine engine = Engine.open(java(Duration.ZERO))) {
      try (var hog = engine.allocator().newChildAllocator("hog", 0, Long.MAX_VALUE)) {
        long all = engine.allocator().getHeadroom();
        List<AutoCloseable> taken = new ArrayList<>();
        for (long left = all - (64 << 10); left > 0; left -= 64 << 20) {
          taken.add(hog.buffer(Math.min(left, 64 << 20)));
        }
        assertThatThrownBy(() -> engine.submit(row(1000)).get())
            .hasCauseInstanceOf(EngineFailedException.class)
            .hasMessageContaining("workspace of");
        for (AutoCloseable buffer : taken) {
          buffer.close();
        }
      }
    }
  }

  @Test
  void whatAnEngineDoesIsCounted() throws Exception {
    List<Future<RowOutcome>> rows = new ArrayList<>();
    Engine engine = Engine.open(SampleModel.options());
    try (engine) {
      for (int i = 0; i < 50; i++) {
        rows.add(engine.submit(row(100)));
      }
      rows.add(engine.submit(row(0)));
      for (Future<RowOutcome> row : rows) {
        row.get();
      }
      EngineStatistics now = engine.statistics();
      assertThat(now.memory().weightsMapped()).isPositive();
      assertThat(now.memory().owned()).isPositive();
      assertThat(now.memory().ownedPeak()).isGreaterThanOrEqualTo(now.memory().owned());
      assertThat(now.rows().queued()).isZero();
      assertThat(now.tokens().queued()).isZero();
    }
    EngineStatistics all = engine.statistics();
    assertThat(all.rows().done()).isEqualTo(51);
    assertThat(all.rows().failed()).isEqualTo(1);
    assertThat(all.tokens().read()).isEqualTo(5000);
    assertThat(all.batches().tokens()).isEqualTo(5000);
    assertThat(all.batches().count()).isBetween(3L, 50L);
    assertThat(all.batches().fill()).isBetween(0.04, 1.0);
    assertThat(all.plus(all).rows().done()).isEqualTo(102);
    assertThat(all.memory().owned()).isZero();
  }

  @Test
  void tokensOfTextsAreCountedAsTheyAreWritten() throws Exception {
    Engine engine = Engine.open(WriterModel.options(WriterModel.writing(WriterModel.greedy(24))));
    List<Future<RowOutcome>> rows = new ArrayList<>();
    long written = 0;
    long most = 0;
    try (engine) {
      for (int i = 0; i < 8; i++) {
        rows.add(engine.submit(RowRequest.of(new RowInput.Text("The parcel " + i))));
      }
      for (Future<RowOutcome> row : rows) {
        most = Math.max(most, engine.statistics().memory().keysAndValues());
        RowOutcome.Generated generated = (RowOutcome.Generated) row.get();
        written += generated.samples().stream().mapToInt(text -> text.ids().length).sum();
      }
    }
    EngineStatistics all = engine.statistics();
    assertThat(all.tokens().generated()).isEqualTo(written);
    assertThat(all.rows().done()).isEqualTo(8);
    assertThat(all.memory().keysAndValuesBudget()).isPositive();
    assertThat(most).isLessThanOrEqualTo(all.memory().keysAndValuesBudget());
    assertThat(all.memory().keysAndValues()).isZero();
  }

  private static RowRequest row(int tokens) {
    int[] ids = new int[tokens];
    Arrays.fill(ids, 5);
    return RowRequest.of(new RowInput.Tokens(ids, Optional.empty()));
  }

  private static EngineOptions java(Duration deadline) {
    return at(SampleModel.options().model(), deadline);
  }

  /** Slow kernels, which nothing native is needed for. */
  private static EngineOptions at(String model, Duration deadline) {
    return EngineOptions.of(model, new Task.Classify())
        .withPrecision(PrecisionChoice.FLOAT32)
        .withKernels(KernelChoice.JAVA)
        .withBatchDeadline(deadline);
  }
}
