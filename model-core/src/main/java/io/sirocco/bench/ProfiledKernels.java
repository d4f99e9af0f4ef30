package io.sirocco.bench;

import static java.util.stream.Collectors.joining;

import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Activation;
import io.sirocco.kernel.AttentionBlock;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.LowRank;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.Weight;
import io.sirocco.kernel.WeightUse;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Kernels that note how long each kind of operation takes, while they are asked to. The other
 * kernels do the work; closing closes them.
 */
public final class ProfiledKernels implements Kernels {
  /** The name of attention's line. */
  static final String ATTENTION = "attention";

  private final Kernels kernels;
  private final Map<String, Entry> entries = new TreeMap<>();
  private double seconds;
  // Written by who measures, read by the thread that computes for it.
  private volatile boolean recording;

  private static final class Entry {
    private long calls;
    private long nanos;
    private double flop;
  }

  public ProfiledKernels(Kernels kernels) {
    this.kernels = kernels;
  }

  /** Notes what is computed from now on, with what has been noted before. */
  void record() {
    recording = true;
  }

  /** Notes nothing more; {@code elapsed} seconds have passed since {@link #record}. */
  void pause(double elapsed) {
    recording = false;
    seconds += elapsed;
  }

  /** What has been noted since the last call; nobody may compute meanwhile. */
  Profile.Notes take() {
    List<Profile.Line> lines =
        entries.entrySet().stream().map(e -> line(e.getKey(), e.getValue())).toList();
    Profile.Notes notes = new Profile.Notes(seconds, lines);
    entries.clear();
    seconds = 0;
    return notes;
  }

  private static Profile.Line line(String operation, Entry entry) {
    return new Profile.Line(operation, entry.calls, entry.nanos * 1e-9, entry.flop);
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
    time(size("linear", weight), flop(x, weight), () -> kernels.linear(x, weight, out));
  }

  @Override
  public void linearAdd(Matrix x, Weight weight, Matrix residual) {
    time(
        size("linear + residual", weight),
        flop(x, weight),
        () -> kernels.linearAdd(x, weight, residual));
  }

  @Override
  public void linearEach(Matrix x, List<Weight> weights, List<Matrix> outs) {
    String sizes = weights.stream().map(w -> String.valueOf(w.outputs())).collect(joining(" + "));
    time(
        "linear " + sizes + " x " + x.columns(),
        weights.stream().mapToDouble(weight -> flop(x, weight)).sum(),
        () -> kernels.linearEach(x, weights, outs));
  }

  @Override
  public void gatedLinear(
      Matrix x, Weight gate, Weight up, Activation act, Matrix scratch, Matrix out) {
    time(
        size("gate and up", gate),
        flop(x, gate) + flop(x, up),
        () -> kernels.gatedLinear(x, gate, up, act, scratch, out));
  }

  @Override
  public LowRank lowRank(Tensor a, Tensor b, float scaling) {
    return kernels.lowRank(a, b, scaling);
  }

  @Override
  public void addLowRank(Matrix x, LowRank branch, Matrix out) {
    time("adapters", 0, () -> kernels.addLowRank(x, branch, out));
  }

  @Override
  public void activate(Matrix gate, Matrix up, Activation act, Matrix out) {
    time("activation", 0, () -> kernels.activate(gate, up, act, out));
  }

  @Override
  public void round(Matrix x, Matrix out) {
    time("rounding", 0, () -> kernels.round(x, out));
  }

  @Override
  public void rmsNorm(Matrix x, float[] weight, float eps, Matrix out) {
    time("rms norm", 0, () -> kernels.rmsNorm(x, weight, eps, out));
  }

  @Override
  public void rotate(Matrix x, float[][] cos, float[][] sin, Matrix out) {
    time("rotary embedding", 0, () -> kernels.rotate(x, cos, sin, out));
  }

  @Override
  public void attend(AttentionBlock block) {
    time(ATTENTION, flop(block), () -> kernels.attend(block));
  }

  @Override
  public void attendEach(List<AttentionBlock> blocks) {
    time(
        "attention of new tokens",
        blocks.stream().mapToDouble(ProfiledKernels::flop).sum(),
        () -> kernels.attendEach(blocks));
  }

  @Override
  public void close() {
    kernels.close();
  }

  private static String size(String operation, Weight weight) {
    return operation + " " + weight.outputs() + " x " + weight.inputs();
  }

  private static double flop(Matrix x, Weight weight) {
    return 2.0 * x.rows() * weight.outputs() * weight.inputs();
  }

  /** Of the whole block, with what the mask hides of it. */
  private static double flop(AttentionBlock block) {
    return 4.0 * block.queries().rows() * block.queries().columns() * block.keys().rows();
  }

  private void time(String operation, double flop, Runnable work) {
    if (!recording) {
      work.run();
      return;
    }
    long start = System.nanoTime();
    work.run();
    Entry entry = entries.computeIfAbsent(operation, name -> new Entry());
    entry.nanos += System.nanoTime() - start;
    entry.flop += flop;
    entry.calls++;
  }
}
