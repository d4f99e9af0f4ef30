package io.sirocco.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sirocco.checkpoint.ElementType;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkspaceTest {

  @ParameterizedTest
  @CsvSource({"0, 8", "1, 8", "64, 8", "71, 8", "72, 9", "4096, 512"})
  void slackIsAnEighthOfTheRowsAndAtLeastEight(int rows, int slack) {
    try (BufferAllocator allocator = new RootAllocator();
        Workspace workspace = new Workspace(allocator)) {
      Matrix matrix = workspace.matrix(ElementType.BF16, rows, 3);
      assertThat(matrix.slack()).isEqualTo(slack);
      assertThat(Workspace.bytes(ElementType.BF16, rows, 3)).isEqualTo((rows + slack) * 3L * 2);
    }
  }

  @Test
  void matricesAndTheirSlackAreZero() {
    try (BufferAllocator allocator = new RootAllocator()) {
      for (int round = 0; round < 2; round++) {
        try (Workspace workspace = new Workspace(allocator)) {
          Matrix matrix = workspace.matrix(ElementType.F32, 20, 7);
          Matrix whole = new Matrix(matrix.address(), ElementType.F32, 28, 7, 0);
          for (float[] row : KernelsFixture.read(whole)) {
            assertThat(row).containsOnly(0f);
          }
          KernelsFixture.fillSlack(matrix.first(0), Float.NaN);
        }
      }
    }
  }

  @Test
  void closingGivesEverythingBackAndAllowsReuse() {
    try (BufferAllocator allocator = new RootAllocator()) {
      Workspace workspace = new Workspace(allocator);
      workspace.matrix(ElementType.F32, 100, 100);
      workspace.matrix(ElementType.BF16, 100, 100);
      assertThat(allocator.getAllocatedMemory()).isGreaterThanOrEqualTo(112 * 100 * 6);
      workspace.close();
      assertThat(allocator.getAllocatedMemory()).isZero();
      workspace.matrix(ElementType.F32, 1, 1);
      workspace.close();
      workspace.close();
      assertThat(allocator.getAllocatedMemory()).isZero();
    }
  }

  @Test
  void allocatorsLimitHolds() {
    try (BufferAllocator allocator = new RootAllocator(1 << 16);
        Workspace workspace = new Workspace(allocator)) {
      assertThatExceptionOfType(OutOfMemoryException.class)
          .isThrownBy(() -> workspace.matrix(ElementType.F32, 1000, 1000));
      assertThat(allocator.getAllocatedMemory()).isZero();
    }
  }

  @Test
  void bytesBeyondLongAreRefused() {
    assertThat(Workspace.bytes(ElementType.F32, 1 << 30, 1 << 20))
        .isEqualTo((9L << 27) * (4L << 20));
    assertThatExceptionOfType(ArithmeticException.class)
        .isThrownBy(() -> Workspace.bytes(ElementType.F32, Integer.MAX_VALUE, Integer.MAX_VALUE));
  }
}
