package io.sirocco.kernel.onednn;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Workspace;
import java.util.IdentityHashMap;
import org.apache.arrow.memory.BufferAllocator;

/** Native copies of the norms' weights, made once per array. */
final class NormWeights implements AutoCloseable {
  private final Workspace workspace;
  private final IdentityHashMap<float[], Matrix> copies = new IdentityHashMap<>();

  NormWeights(BufferAllocator allocator) {
    this.workspace = new Workspace(allocator);
  }

  /** The address of a copy of {@code weight}, which must not change afterwards. */
  long address(float[] weight) {
    return copies
        .computeIfAbsent(
            weight,
            values -> {
              Matrix copy = workspace.matrix(ElementType.F32, 1, values.length);
              copy.writeRow(0, values);
              return copy;
            })
        .address();
  }

  @Override
  public void close() {
    copies.clear();
    workspace.close();
  }
}
