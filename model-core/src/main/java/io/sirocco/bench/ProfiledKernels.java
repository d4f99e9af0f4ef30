package io.sirocco.bench;

import static java.util.stream.Collectors.joining;

import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Activation;
import io.sirocco.kernel.AttentionBlock;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.Weight;
import io.sirocco.kernel.WeightUse;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Kernels that note how long each kind of operation takes. The other kernels do the work; closing
 * closes them.
 */
public final class ProfiledKernels implements Kernels {
  private final Kernels kernels;
  private final Map<String, Entry> entries = new TreeMap<>();

  /**
   * What one kind of operation took.
   *
   * @param operation its name, with the size {@code N x K} of a product's weight
   */
  public record Line(String operation, long calls, double seconds) {}

  private static final class Entry {
    private long calls;
    private long nanos;
  }

  public ProfiledKernels(Kernels kernels) {
    this.kernels = kernels;
  }

  /** What has been computed since the start or the last {@link #reset}, the longest first. */
  public List<Line> lines() {
    return entries.entrySet().stream()
        .map(e -> new Line(e.getKey(), e.getValue().calls, e.getValue().nanos * 1e-9))
        .sorted((a, b) -> Double.compare(b.seconds(), a.seconds()))
        .toList();
  }

  public void reset() {
    entries.clear();
  }

  @Override
  public String description() {
    return kernels.description();
  }

  @Override
  public Precision precision() {
    return kernels.precision();
  }

  @Override
  public Weight weight(Tensor tensor, WeightUse use) {
    return kernels.weight(tensor, use);
  }

  @Override
  public void linear(Matrix x, Weight weight, Matrix out) {
    time(size("linear", weight), () -> kernels.linear(x, weight, out));
  }

  @Override
  public void linearAdd(Matrix x, Weight weight, Matrix residual) {
    time(size("linear + residual", weight), () -> kernels.linearAdd(x, weight, residual));
  }

  @Override
  public void linearEach(Matrix x, List<Weight> weights, List<Matrix> outs) {
    String sizes = weights.stream().map(w -> String.valueOf(w.outputs())).collect(joining(" + "));
    time("linear " + sizes + " x " + x.columns(), () -> kernels.linearEach(x, weights, outs));
  }

  @Override
  public void gatedLinear(
      Matrix x, Weight gate, Weight up, Activation act, Matrix scratch, Matrix out) {
    time(size("gate and up", gate), () -> kernels.gatedLinear(x, gate, up, act, scratch, out));
  }

  @Override
  public void rmsNorm(Matrix x, float[] weight, float eps, Matrix out) {
    time("rms norm", () -> kernels.rmsNorm(x, weight, eps, out));
  }

  @Override
  public void rotate(Matrix x, float[][] cos, float[][] sin, Matrix out) {
    time("rotary embedding", () -> kernels.rotate(x, cos, sin, out));
  }

  @Override
  public void attend(AttentionBlock block) {
    time("attention", () -> kernels.attend(block));
  }

  @Override
  public void attendEach(List<AttentionBlock> blocks) {
    time("attention of new tokens", () -> kernels.attendEach(blocks));
  }

  @Override
  public void close() {
    kernels.close();
  }

  private static String size(String operation, Weight weight) {
    return operation + " " + weight.outputs() + " x " + weight.inputs();
  }

  private void time(String operation, Runnable work) {
    long start = System.nanoTime();
    work.run();
    Entry entry = entries.computeIfAbsent(operation, name -> new Entry());
    entry.nanos += System.nanoTime() - start;
    entry.calls++;
  }
}
