package io.sirocco.kernel.onednn;

import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.KernelsContract;
import io.sirocco.kernel.Precision;
import io.sirocco.prepared.PreparedMemory;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterEach;

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

  @AfterEach
  void free() {
    prepared.close();
  }
}
