package io.sirocco.kernel.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.SafetensorsFile;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.KernelsContract;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.Workspace;
import io.sirocco.prepared.PreparedMemory;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What packed weights multiply has the contract's values and invariance, too. */
class PackedKernelsTest extends KernelsContract {
  private final BufferAllocator memory = new RootAllocator();
  private final PreparedMemory prepared = new PreparedMemory(memory);

  @Override
  protected Kernels open(Precision precision, int threads, BufferAllocator allocator) {
    try {
      return OneDnnKernels.open(precision, threads, allocator, Optional.of(prepared));
    } catch (OneDnnUnavailableException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  protected Set<Precision> precisions() {
    return OneDnnKernels.multipliesBfloat16()
        ? EnumSet.of(Precision.BFLOAT16)
        : EnumSet.noneOf(Precision.class);
  }

  @Override
  protected int mostRows() {
    return 512;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 17, 130})
  void packingChangesNoBit(int rows) {
    assumeTrue(precisions().contains(Precision.BFLOAT16), "bfloat16 is not computed here");
    Random random = new Random(rows);
    try (BufferAllocator allocator = new RootAllocator();
        Workspace workspace = new Workspace(allocator);
        Kernels packing = open(Precision.BFLOAT16, 2, allocator);
        Kernels storing = OneDnnKernels.open(Precision.BFLOAT16, 2, allocator, Optional.empty())) {
      Tensor tensor = SafetensorsFile.matrix(ElementType.BF16, random(random, 1000, 640), 1000);
      Matrix x = workspace.matrix(ElementType.BF16, rows, 640);
      float[][] values = random(random, rows, 640);
      for (int row = 0; row < rows; row++) {
        x.writeRow(row, values[row]);
      }
      Matrix packed = workspace.matrix(ElementType.F32, rows, 1000);
      Matrix stored = workspace.matrix(ElementType.F32, rows, 1000);
      packing.linear(x, packing.weight(tensor), packed);
      storing.linear(x, storing.weight(tensor), stored);
      for (int row = 0; row < rows; row++) {
        assertThat(read(packed, row)).isEqualTo(read(stored, row));
      }
    } catch (OneDnnUnavailableException e) {
      throw new AssertionError(e);
    }
  }

  private static float[][] random(Random random, int rows, int columns) {
    float[][] values = new float[rows][columns];
    for (float[] row : values) {
      for (int column = 0; column < columns; column++) {
        row[column] = (float) random.nextGaussian();
      }
    }
    return values;
  }

  private static float[] read(Matrix matrix, int row) {
    float[] values = new float[matrix.columns()];
    matrix.readRow(row, values);
    return values;
  }

  @AfterEach
  void free() {
    prepared.close();
  }
}
