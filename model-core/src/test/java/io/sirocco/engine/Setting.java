package io.sirocco.engine;

import io.sirocco.kernel.onednn.OneDnnKernels;
import java.util.stream.Stream;

/** Kernels and numeric mode of a test's engines. */
record Setting(KernelChoice kernels, PrecisionChoice precision) {

  /** All that this machine has. */
  static Stream<Setting> here() {
    return Stream.of(
            new Setting(KernelChoice.AUTO, PrecisionChoice.FLOAT32),
            new Setting(KernelChoice.JAVA, PrecisionChoice.FLOAT32),
            new Setting(KernelChoice.AUTO, PrecisionChoice.BFLOAT16),
            new Setting(KernelChoice.AUTO, PrecisionChoice.INT8))
        .filter(
            setting ->
                setting.precision() == PrecisionChoice.FLOAT32
                    || OneDnnKernels.multipliesBfloat16());
  }

  EngineOptions of(EngineOptions options) {
    return options.withKernels(kernels).withPrecision(precision);
  }
}
