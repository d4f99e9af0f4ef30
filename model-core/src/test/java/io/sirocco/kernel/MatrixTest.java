package io.sirocco.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.sirocco.checkpoint.ElementType;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MatrixTest {
  private final BufferAllocator allocator = new RootAllocator();
  private final Workspace workspace = new Workspace(allocator);

  @AfterEach
  void close() {
    workspace.close();
    allocator.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"F32", "BF16"})
  void rowsComeBackAsWritten(ElementType type) {
    Matrix matrix = workspace.matrix(type, 3, 2);
    matrix.writeRow(1, new float[] {1.5f, -2, 99});
    assertThat(KernelsFixture.read(matrix))
        .isDeepEqualTo(new float[][] {{0, 0}, {1.5f, -2}, {0, 0}});
    float[] wide = {7, 7, 7};
    matrix.readRow(1, wide);
    assertThat(wide).containsExactly(1.5f, -2, 7);
  }

  @Test
  void bfloat16IsRoundedToNearestEven() {
    Matrix matrix = workspace.matrix(ElementType.BF16, 1, 3);
    matrix.writeRow(0, new float[] {0x1.01p0f, 0x1.03p0f, Float.NaN});
    assertThat(KernelsFixture.readRow(matrix, 0)).containsExactly(1f, 0x1.04p0f, Float.NaN);
  }

  @Test
  void sliceInheritsTheSlackOnlyAtTheEnd() {
    Matrix matrix = workspace.matrix(ElementType.F32, 10, 4);
    assertThat(matrix.slack()).isEqualTo(8);
    assertThat(matrix.slice(2, 8))
        .isEqualTo(new Matrix(matrix.address() + 32, ElementType.F32, 8, 4, 8));
    assertThat(matrix.slice(2, 7).slack()).isZero();
    assertThat(matrix.slice(10, 0).rows()).isZero();
  }

  @Test
  void rowsBehindTheFirstBecomeSlack() {
    Matrix matrix = workspace.matrix(ElementType.F32, 10, 4);
    assertThat(matrix.first(3)).isEqualTo(new Matrix(matrix.address(), ElementType.F32, 3, 4, 15));
    assertThat(matrix.first(10)).isEqualTo(matrix);
  }

  @Test
  void rowsOutsideAreRefused() {
    Matrix matrix = workspace.matrix(ElementType.F32, 2, 4);
    float[] row = new float[4];
    for (int outside : new int[] {-1, 2, Integer.MAX_VALUE}) {
      outOfBounds(() -> matrix.readRow(outside, row));
      outOfBounds(() -> matrix.writeRow(outside, row));
      outOfBounds(() -> matrix.slice(outside, 1));
      outOfBounds(() -> matrix.clearRows(outside, 1));
      outOfBounds(() -> matrix.copyRows(outside, 1, matrix, 0));
      outOfBounds(() -> matrix.copyRows(0, 1, matrix, outside));
    }
    outOfBounds(() -> matrix.first(3));
    outOfBounds(() -> matrix.first(-1));
    outOfBounds(() -> matrix.rowAddress(11));
    assertThat(matrix.rowAddress(10)).isEqualTo(matrix.address() + 10 * 16);
  }

  @Test
  void shortArraysAreRefused() {
    Matrix matrix = workspace.matrix(ElementType.F32, 2, 4);
    Matrix half = workspace.matrix(ElementType.BF16, 2, 4);
    outOfBounds(() -> matrix.readRow(0, new float[3]));
    outOfBounds(() -> matrix.writeRow(0, new float[3]));
    outOfBounds(() -> half.readRow(0, new float[3]));
    outOfBounds(() -> half.writeRow(0, new float[3]));
  }

  @Test
  void copiesAndClearsRows() {
    Matrix from = workspace.matrix(ElementType.F32, 3, 1);
    Matrix to = workspace.matrix(ElementType.F32, 3, 1);
    for (int row = 0; row < 3; row++) {
      from.writeRow(row, new float[] {row + 1});
    }
    from.copyRows(1, 2, to, 0);
    assertThat(KernelsFixture.read(to)).isDeepEqualTo(new float[][] {{2}, {3}, {0}});
    to.clearRows(0, 1);
    assertThat(KernelsFixture.read(to)).isDeepEqualTo(new float[][] {{0}, {3}, {0}});
    Matrix other = workspace.matrix(ElementType.BF16, 3, 1);
    assertThatIllegalArgumentException().isThrownBy(() -> from.copyRows(0, 1, other, 0));
    Matrix wider = workspace.matrix(ElementType.F32, 3, 2);
    assertThatIllegalArgumentException().isThrownBy(() -> from.copyRows(0, 1, wider, 0));
  }

  @Test
  void impossibleMatricesAreRefused() {
    assertThatNullPointerException().isThrownBy(() -> new Matrix(0, null, 1, 1, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new Matrix(0, ElementType.F32, -1, 1, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new Matrix(0, ElementType.F32, 1, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new Matrix(0, ElementType.F32, 1, 1, -1));
    assertThatIllegalArgumentException().isThrownBy(() -> new Matrix(0, ElementType.F16, 1, 1, 0));
  }

  @Test
  void addressesOfRowsBeyondTwoGibibytesAreRight() {
    Matrix matrix = new Matrix(4096, ElementType.F32, 2_000_000, 4096, 0);
    assertThat(matrix.rowAddress(2_000_000)).isEqualTo(4096 + 2_000_000L * 4096 * 4);
    assertThat(matrix.slice(1_000_000, 5).address()).isEqualTo(4096 + 1_000_000L * 4096 * 4);
  }

  private static void outOfBounds(Runnable use) {
    assertThatExceptionOfType(RuntimeException.class)
        .isThrownBy(use::run)
        .isInstanceOfAny(
            IndexOutOfBoundsException.class,
            java.nio.BufferOverflowException.class,
            java.nio.BufferUnderflowException.class);
  }
}
