package io.sirocco.bench;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * One line of a benchmark's result.
 *
 * @param test {@code pp512}: a prompt of 512 tokens; {@code tg32@d128}: 32 new tokens of rows that
 *     are 128 tokens long
 * @param precision of the activations
 * @param batch rows computed together
 * @param tokensPerSecond median over the repetitions
 * @param gflops of the matrix products, 10^9 floating-point operations a second
 * @param gigabytesPerSecond what a pass reads at least, weights and keys and values, over its time
 * @param peakGflops of a bare product [512, hidden] x [hidden, intermediate], measured in turn with
 *     the test
 * @param peakGigabytesPerSecond of a loop that reads memory, likewise; 0 where it plays no part
 * @param fractionOfPeak median over the repetitions of what the peaks allow over what was measured:
 *     gflops / peakGflops, or for new tokens the roofline of both peaks
 * @param repetitions measured, after the warm-up
 * @param spread (slowest - fastest) / median of the repetitions' times
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
    double spread) {}
