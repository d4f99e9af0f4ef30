package io.sirocco.kernel;

import io.sirocco.checkpoint.ElementType;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Owner of activation matrices. All come from one accounted Arrow allocator, are zeroed when made,
 * and live until the workspace closes. Not safe for concurrent use.
 */
public final class Workspace implements AutoCloseable {
  /**
   * Behind each matrix, so that kernels may round a number of rows up; see {@link Matrix#slack}.
   */
  private static final int MIN_SLACK = 8;

  private final BufferAllocator allocator;
  private final List<ArrowBuf> buffers = new ArrayList<>();

  /** The allocator stays the caller's and must outlive this workspace. */
  public Workspace(BufferAllocator allocator) {
    this.allocator = allocator;
  }

  /** A zeroed matrix with slack of an eighth of its rows, at least eight. */
  public Matrix matrix(ElementType type, int rows, int columns) {
    int slack = slack(rows);
    long bytes = bytes(type, rows, columns);
    ArrowBuf buffer = NativeMemory.allocate(allocator, bytes);
    buffers.add(buffer);
    buffer.setZero(0, bytes);
    return new Matrix(buffer.memoryAddress(), type, rows, columns, slack);
  }

  /** Bytes that {@link #matrix} takes for these arguments. */
  public static long bytes(ElementType type, int rows, int columns) {
    return Math.multiplyExact((long) rows + slack(rows), (long) columns * type.bytes());
  }

  private static int slack(int rows) {
    return Math.max(MIN_SLACK, rows / 8);
  }

  @Override
  public void close() {
    buffers.forEach(ArrowBuf::close);
    buffers.clear();
  }
}
