package io.sirocco.spark.bench;

import io.sirocco.bench.BenchModel;
import io.sirocco.bench.LengthBench;
import io.sirocco.bench.LengthPicture;
import io.sirocco.bench.ProfiledKernels;
import io.sirocco.engine.KernelSetup;
import io.sirocco.kernel.Kernels;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/** Time and memory against the row's length, and their picture. */
public final class BenchLengths {
  private final BenchCheckpoint checkpoint;
  private final BenchReport report;
  private final Consumer<String> progress;

  /** {@code progress} is told what is done, for people. */
  public BenchLengths(BenchCheckpoint checkpoint, BenchReport report, Consumer<String> progress) {
    this.checkpoint = checkpoint;
    this.report = report;
    this.progress = progress;
  }

  /**
   * Measures, and writes the picture again after every length.
   *
   * @param plainSeconds plain attention that would take longer is left out, as is what would take
   *     more than half of the machine's memory
   */
  public void draw(Path picture, List<Integer> lengths, BenchSetting setting, double plainSeconds)
      throws IOException {
    KernelSetup setup = KernelSetup.of(setting.kernels(), setting.precision());
    try (BufferAllocator decoders = new RootAllocator();
        BufferAllocator ofKernels = new RootAllocator();
        BufferAllocator plain = new RootAllocator(machineMemory() / 2);
        Kernels kernels = setup.open(setting.threads(), ofKernels)) {
      ProfiledKernels profiled = new ProfiledKernels(kernels);
      try (BenchModel model =
          BenchModel.open(checkpoint.folder(), checkpoint.label(), profiled, decoders)) {
        LengthBench bench =
            new LengthBench(model, profiled, new LengthBench.Memory(decoders, ofKernels, plain));
        for (int length : lengths.stream().sorted().distinct().toList()) {
          report.add(
              bench.measure(
                  length, allocator -> setup.open(setting.threads(), allocator), plainSeconds));
          Files.writeString(picture, LengthPicture.of(report.lengths()));
          progress.accept("a row of " + length + " tokens done");
        }
      }
    }
  }

  private static long machineMemory() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getTotalMemorySize();
  }
}
