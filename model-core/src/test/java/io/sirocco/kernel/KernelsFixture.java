package io.sirocco.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.SafetensorsFile;
import io.sirocco.checkpoint.Tensor;
import java.util.Arrays;
import java.util.Random;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/**
 * Kernels with matrices for them, all of one allocator; closing checks that nothing is left. The
 * slack rows of every matrix made here hold NaN.
 */
final class KernelsFixture implements AutoCloseable {
  final BufferAllocator allocator = new RootAllocator();
  final Kernels kernels;
  final Workspace workspace = new Workspace(allocator);

  KernelsFixture(KernelsContract contract, Precision precision, int threads) {
    this.kernels = contract.open(precision, threads, allocator);
  }

  /** The activation type T. */
  ElementType type() {
    return kernels.precision().activation();
  }

  Matrix matrix(ElementType type, float[][] rows) {
    Matrix matrix = empty(type, rows.length, rows[0].length);
    for (int row = 0; row < rows.length; row++) {
      matrix.writeRow(row, rows[row]);
    }
    return matrix;
  }

  Matrix empty(ElementType type, int rows, int columns) {
    Matrix matrix = workspace.matrix(type, rows, columns);
    fillSlack(matrix, Float.NaN);
    return matrix;
  }

  static void fillSlack(Matrix matrix, float value) {
    int rows = matrix.rows();
    Matrix whole =
        new Matrix(matrix.address(), matrix.type(), rows + matrix.slack(), matrix.columns(), 0);
    float[] row = new float[matrix.columns()];
    Arrays.fill(row, value);
    for (int slack = rows; slack < whole.rows(); slack++) {
      whole.writeRow(slack, row);
    }
  }

  Weight weight(ElementType type, float[][] rows) {
    return kernels.weight(SafetensorsFile.matrix(type, rows, rows.length));
  }

  /** What products see of weights stored in that type. */
  float[][] asMultiplied(ElementType type, float[][] weights) {
    Tensor tensor = SafetensorsFile.matrix(type, weights, weights.length);
    float[][] seen = new float[weights.length][weights[0].length];
    for (int row = 0; row < seen.length; row++) {
      tensor.readRow(row, seen[row]);
      for (int k = 0; k < seen[row].length && kernels.precision() == Precision.BFLOAT16; k++) {
        seen[row][k] = BFloat16.toFloat(BFloat16.fromFloat(seen[row][k]));
      }
    }
    return asQuantized(seen);
  }

  /** Rows as int8 products see them; as they are in other precisions. */
  float[][] asQuantized(float[][] rows) {
    if (kernels.precision() != Precision.INT8) {
      return rows;
    }
    float[][] seen = new float[rows.length][];
    for (int row = 0; row < rows.length; row++) {
      float scale = Int8.scale(rows[row]);
      byte[] quantized = new byte[rows[row].length];
      Int8.quantize(rows[row], scale, quantized);
      seen[row] = new float[quantized.length];
      for (int k = 0; k < quantized.length; k++) {
        seen[row][k] = quantized[k] * scale;
      }
    }
    return seen;
  }

  static float[][] read(Matrix matrix) {
    float[][] rows = new float[matrix.rows()][matrix.columns()];
    for (int row = 0; row < rows.length; row++) {
      matrix.readRow(row, rows[row]);
    }
    return rows;
  }

  static float[] readRow(Matrix matrix, int row) {
    float[] values = new float[matrix.columns()];
    matrix.readRow(row, values);
    return values;
  }

  static float[][] random(Random random, int rows, int columns) {
    float[][] values = new float[rows][columns];
    for (float[] row : values) {
      for (int column = 0; column < columns; column++) {
        row[column] = (float) random.nextGaussian();
      }
    }
    return values;
  }

  @Override
  public void close() {
    kernels.close();
    workspace.close();
    assertThat(allocator.getAllocatedMemory()).as("bytes left after closing").isZero();
    allocator.close();
  }
}
