package io.sirocco.bench;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * One line of a benchmark's result.
 *
 * @param test such as {@code pp512}: a prompt of 512 tokens
 * @param precision of the activations
 * @param batch rows computed together
 * @param tokensPerSecond median over the repetitions
 * @param gflops of the linear layers, 10^9 floating-point operations a second
 * @param gigabytesPerSecond weights read once per forward pass, over its time
 * @param peakGflops of a bare product [512, hidden] x [hidden, intermediate], measured in turn with
 *     the test
 * @param fractionOfPeak median over the repetitions of gflops / peakGflops
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
    @JsonProperty("fraction_of_peak") double fractionOfPeak,
    int repetitions,
    double spread) {}
