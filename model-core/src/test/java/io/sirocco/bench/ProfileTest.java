package io.sirocco.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.sirocco.kernel.JavaKernels;
import io.sirocco.kernel.Precision;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProfileTest {
  private static final int LAYERS = 2;
  private static final int REPETITIONS = 3;
  private static final double WEIGHTS = LAYERS * (128 * 128 * 2 + 64 * 128 * 2 + 352 * 128 * 3);

  @TempDir private Path folder;

  @Test
  void aProfileAddsUp() throws Exception {
    Profile profile = profileOfAPrompt();
    var byOperation =
        profile.lines().stream().collect(Collectors.toMap(Profile.Line::operation, line -> line));

    double sum = profile.lines().stream().mapToDouble(Profile.Line::seconds).sum();
    assertThat(sum).isCloseTo(profile.seconds(), within(1e-9));
    assertThat(profile.lines()).allSatisfy(line -> assertThat(line.seconds()).isNotNegative());
    assertThat(profile.lines().stream().mapToDouble(profile::share).sum())
        .isCloseTo(1, within(1e-9));
    assertThat(byOperation).containsKeys("attention", "rms norm", Profile.BETWEEN);
    // The warm-up and the peaks' products do not count.
    assertThat(byOperation.get("gate and up 352 x 128").calls())
        .isEqualTo((long) LAYERS * REPETITIONS);
    assertThat(byOperation.get("rms norm").calls()).isEqualTo(2L * LAYERS * REPETITIONS);
  }

  @Test
  void whatIsLostIsWhatIsMissingToThePeak() throws Exception {
    Profile profile = profileOfAPrompt();

    double flop = profile.lines().stream().mapToDouble(Profile.Line::flop).sum();
    double lost = profile.lines().stream().mapToDouble(profile::lost).sum();
    double reached = flop / profile.seconds() / profile.peakFlops();
    assertThat(lost).isCloseTo(1 - reached, within(1e-9));
    assertThat(flop).isEqualTo((2 * WEIGHTS * 16 + LAYERS * 4 * 128 * 16 * 16) * REPETITIONS);
  }

  private Profile profileOfAPrompt() throws Exception {
    SyntheticCheckpoint.write(folder, Geometry.TINY, LAYERS);
    try (BufferAllocator allocator = new RootAllocator();
        JavaKernels kernels = new JavaKernels(Precision.FLOAT32, 1)) {
      ProfiledKernels profiled = new ProfiledKernels(kernels);
      try (BenchModel model = BenchModel.open(folder, "tiny", profiled, allocator);
          MachinePeaks peaks = new MachinePeaks(model.weights(), profiled, allocator, 1)) {
        BenchTest.Prompt test = new BenchTest.Prompt(16);
        Measurement measurement = new Measurement(model.setting(), peaks, Optional.of(profiled));
        BenchResult result = new PrefillBench(model).prompt(test, measurement, REPETITIONS);
        assertThat(List.of(result.test(), result.geometry(), result.precision()))
            .containsExactly("pp16", "tiny", "float32");
        // Of attention what is seen causally: 1 + 2 + ... + 16 positions.
        assertThat(result.gflops() / result.tokensPerSecond() * 16 * 1e9)
            .isCloseTo(2 * WEIGHTS * 16 + LAYERS * 4 * 128 * 136, withinPercentage(1e-6));
        return measurement.profile(PrefillBench.label(test)).orElseThrow();
      }
    }
  }
}
