package io.sirocco.kernel;

import io.sirocco.checkpoint.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.apache.arrow.memory.util.MemoryUtil;

/**
 * A dense row-major matrix {@code [rows, columns]} of activations in native memory. A view: the
 * {@link Workspace} that made it owns the memory, and must outlive every use.
 *
 * @param address of the first element, in bytes
 * @param type {@link ElementType#F32} or {@link ElementType#BF16}
 * @param slack rows behind the last one that belong to nobody: a kernel may read and overwrite
 *     them, so that it can round the number of rows up to a shape it already knows
 */
public record Matrix(long address, ElementType type, int rows, int columns, int slack) {

  public Matrix {
    Objects.requireNonNull(type, "type");
    if (type == ElementType.F16 || rows < 0 || columns < 1 || slack < 0) {
      throw new IllegalArgumentException(
          type + " matrix [" + rows + ", " + columns + "] with slack " + slack);
    }
  }

  /** Bytes of one row; rows follow one another without gaps. */
  public long rowBytes() {
    return (long) columns * type.bytes();
  }

  /** Address of the first element of {@code row}; {@code rows()} and slack rows are legal too. */
  public long rowAddress(int row) {
    Objects.checkIndex(row, rows + slack + 1);
    return address + row * rowBytes();
  }

  /** Rows {@code [from, from + count)} of this matrix; only the last rows inherit the slack. */
  public Matrix slice(int from, int count) {
    Objects.checkFromIndexSize(from, count, rows);
    return new Matrix(rowAddress(from), type, count, columns, from + count == rows ? slack : 0);
  }

  /**
   * Rows {@code [from, from + count)}, with all rows behind them as slack: for who computes the
   * rows in their order, so that what lands on later ones is overwritten.
   */
  public Matrix sliceAndBeyond(int from, int count) {
    Objects.checkFromIndexSize(from, count, rows);
    return new Matrix(rowAddress(from), type, count, columns, rows - from - count + slack);
  }

  /** The same memory as a matrix of as many rows, but fewer columns: its contents are others. */
  public Matrix withColumns(int fewer) {
    Objects.checkIndex(fewer - 1, columns);
    return new Matrix(address, type, rows, fewer, slack);
  }

  /** The first {@code count} rows; the others become slack of the result. */
  public Matrix first(int count) {
    Objects.checkFromIndexSize(0, count, rows);
    return new Matrix(address, type, count, columns, rows - count + slack);
  }

  /**
   * Copies row {@code row}, widened to float, into the first {@code columns} places of {@code
   * into}.
   */
  public void readRow(int row, float[] into) {
    ByteBuffer bytes = rowBytes(row);
    if (type == ElementType.F32) {
      bytes.asFloatBuffer().get(into, 0, columns);
    } else {
      for (int column = 0; column < columns; column++) {
        into[column] = BFloat16.toFloat(bytes.getShort(2 * column));
      }
    }
  }

  /**
   * Writes the first {@code columns} floats of {@code from} to row {@code row}, rounded to nearest
   * even.
   */
  public void writeRow(int row, float[] from) {
    ByteBuffer bytes = rowBytes(row);
    if (type == ElementType.F32) {
      bytes.asFloatBuffer().put(from, 0, columns);
    } else {
      for (int column = 0; column < columns; column++) {
        bytes.putShort(2 * column, BFloat16.fromFloat(from[column]));
      }
    }
  }

  /** Copies {@code count} rows of this matrix to {@code target} of the same type and width. */
  public void copyRows(int from, int count, Matrix target, int targetRow) {
    Objects.checkFromIndexSize(from, count, rows);
    Objects.checkFromIndexSize(targetRow, count, target.rows);
    if (target.type != type || target.columns != columns) {
      throw new IllegalArgumentException("rows of " + this + " copied into " + target);
    }
    MemoryUtil.copyMemory(rowAddress(from), target.rowAddress(targetRow), count * rowBytes());
  }

  /** Sets rows {@code [from, from + count)} to zero. */
  public void clearRows(int from, int count) {
    Objects.checkFromIndexSize(from, count, rows);
    MemoryUtil.setMemory(rowAddress(from), count * rowBytes(), (byte) 0);
  }

  private ByteBuffer rowBytes(int row) {
    Objects.checkIndex(row, rows);
    return MemoryUtil.directBuffer(rowAddress(row), Math.toIntExact(rowBytes()))
        .order(ByteOrder.LITTLE_ENDIAN);
  }
}
