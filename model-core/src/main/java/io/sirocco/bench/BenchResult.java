package io.sirocco.bench;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One line of a benchmark's result.
 *
 * @param test its name, see {@link BenchTest}
 * @param precision of the activations
 * @param batch rows computed together; {@code classify} and {@code job}: on average
 * @param tokensPerSecond median over the repetitions
 * @param gflops of the matrix products, 10^9 floating-point operations a second; of attention's
 *     those with positions that a query sees
 * @param gigabytesPerSecond what a pass reads at least, weights and keys and values, over its time
 * @param peakGflops of a bare product [512, hidden] x [hidden, intermediate], measured in turn with
 *     the test
 * @param peakGigabytesPerSecond of a loop that reads memory, likewise
 * @param fractionOfPeak median over the repetitions of the time that the peaks allow over the time
 *     that was measured: the roofline of both, which for many tokens is gflops / peakGflops
 * @param repetitions measured, after the warm-up
 * @param spread (slowest - fastest) / median of the repetitions' times
 * @param details of this kind of test, by name; fields of the line like the others
 */
public record BenchResult(
    String test,
    String geometry,
    int layers,
    String precision,
    String kernels,
    int batch,
    @JsonProperty("tokens_per_second") double tokensPerSecond,
    double gflops,
    @JsonProperty("gigabytes_per_second") double gigabytesPerSecond,
    @JsonProperty("peak_gflops") double peakGflops,
    @JsonProperty("peak_gigabytes_per_second") double peakGigabytesPerSecond,
    @JsonProperty("fraction_of_peak") double fractionOfPeak,
    int repetitions,
    double spread,
    Map<String, Double> details) {

  public BenchResult {
    details = Collections.unmodifiableMap(new LinkedHashMap<>(details));
  }

  @Override
  @JsonAnyGetter
  public Map<String, Double> details() {
    return details;
  }
}
