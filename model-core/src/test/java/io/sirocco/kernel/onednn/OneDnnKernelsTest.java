package io.sirocco.kernel.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.SafetensorsFile;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.KernelsContract;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.Weight;
import io.sirocco.kernel.Workspace;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;

class OneDnnKernelsTest extends KernelsContract {

  @Override
  protected Kernels open(Precision precision, int threads, BufferAllocator allocator) {
    try {
      return precision == Precision.INT8
          ? Int8Kernels.open(threads, allocator, Optional.empty())
          : OneDnnKernels.open(precision, threads, allocator, Optional.empty());
    } catch (OneDnnUnavailableException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  protected Set<Precision> precisions() {
    if (OneDnnKernels.multipliesBfloat16()) {
      return EnumSet.allOf(Precision.class);
    }
    System.out.println("OneDnnKernelsTest: no AVX512-BF16 here, bfloat16 and int8 are not tested");
    return EnumSet.of(Precision.FLOAT32);
  }

  @Override
  protected int mostRows() {
    return 512;
  }

  @Test
  void bfloat16IsRefusedWhereTheProcessorHasNone() {
    assumeFalse(OneDnnKernels.multipliesBfloat16(), "this processor multiplies bfloat16");
    assertThatThrownBy(() -> OneDnnKernels.check(Precision.BFLOAT16))
        .isInstanceOf(OneDnnUnavailableException.class)
        .hasMessageContaining("AVX512-BF16")
        .hasMessageContaining("float32");
  }

  @Test
  void singleRowWithoutSlackIsRefused() {
    try (BufferAllocator allocator = new RootAllocator();
        Workspace workspace = new Workspace(allocator);
        Kernels kernels = open(Precision.FLOAT32, 1, allocator)) {
      Weight weight = kernels.weight(SafetensorsFile.matrix(ElementType.F32, new float[8][8], 8));
      Matrix both = workspace.matrix(ElementType.F32, 2, 8);
      Matrix tight = new Matrix(both.address(), ElementType.F32, 1, 8, 0);
      Matrix loose = both.first(1);
      assertThatIllegalArgumentException().isThrownBy(() -> kernels.linear(tight, weight, loose));
      assertThatIllegalArgumentException().isThrownBy(() -> kernels.linear(loose, weight, tight));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> kernels.linearAdd(loose, weight, tight));
    }
  }

  @Test
  void weightsAreCopiedOnlyWhereTheirTypeIsNotMultiplied() {
    for (Precision precision : precisions()) {
      try (BufferAllocator allocator = new RootAllocator();
          Kernels kernels = open(precision, 1, allocator)) {
        for (ElementType type : ElementType.values()) {
          Weight weight = kernels.weight(SafetensorsFile.matrix(type, new float[16][24], 16));
          boolean copied =
              precision == Precision.INT8
                  || (precision == Precision.BFLOAT16 && type != ElementType.BF16);
          assertThat(weight.copiedBytes() > 0).isEqualTo(copied);
        }
      }
    }
  }

  @Test
  void descriptionNamesLibraryAndThreads() {
    try (BufferAllocator allocator = new RootAllocator();
        Kernels kernels = open(Precision.FLOAT32, 2, allocator)) {
      assertThat(kernels.description()).startsWith("oneDNN 3.").contains("thread");
    }
  }
}
