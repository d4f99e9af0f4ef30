package io.sirocco.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JavaKernelsTest extends KernelsContract {

  @Override
  protected Kernels open(Precision precision, int threads, BufferAllocator allocator) {
    return new JavaKernels(precision, threads);
  }

  @Override
  protected Set<Precision> precisions() {
    return Set.of(Precision.values());
  }

  @Override
  protected int mostRows() {
    return 17;
  }

  @Test
  void needsThread() {
    assertThatIllegalArgumentException().isThrownBy(() -> new JavaKernels(Precision.FLOAT32, 0));
  }

  /** Values of Abramowitz and Stegun, table 7.1. */
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "0.02, 0.0225645747",
    "0.5, 0.5204998778",
    "1, 0.8427007929",
    "1.5, 0.9661051465",
    "2, 0.9953222650",
    "-1, -0.8427007929",
    "2.4, 0.9993114861",
    "2.5, 0.9995930480",
    "2.6, 0.9997639656",
    "3, 0.9999779095",
    "6.1, 1"
  })
  void errorFunctionHasItsTabulatedValues(double x, double want) {
    assertThat(ActivationFunctions.erf(x)).isCloseTo(want, within(6e-11));
  }

  @Test
  void errorFunctionOfNanIsNan() {
    assertThat(ActivationFunctions.erf(Double.NaN)).isNaN();
  }

  private static Offset<Double> within(double error) {
    return Offset.offset(error);
  }
}
