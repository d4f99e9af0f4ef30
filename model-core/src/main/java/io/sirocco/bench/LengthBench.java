package io.sirocco.bench;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.AttentionBlock;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Workspace;
import io.sirocco.model.Decoder;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.TokenRow;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;

/**
 * A forward pass of one row, against the row's length: by attention in blocks, and by plain
 * attention, which computes all queries against all keys and holds the whole matrix of scores (here
 * for the heads of one key-value head at a time). The plain pass is the other one with its
 * attention replaced: all else is the same.
 */
public final class LengthBench {
  private static final int LONGEST_WARM_UP = 4096;

  private final BenchModel model;
  private final ProfiledKernels profiled;
  private final Memory memory;

  /** Bytes that the kernels hold before anything is computed: prepared weights. */
  private final long prepared;

  private double lastPlain;
  private int lastLength;
  private String stopped = "";

  /**
   * Where memory comes from.
   *
   * @param decoders for activations
   * @param kernels that the model's kernels take theirs from
   * @param plain with the limit of what plain attention may take
   */
  public record Memory(BufferAllocator decoders, BufferAllocator kernels, BufferAllocator plain) {}

  /** Opens kernels on an allocator. */
  @FunctionalInterface
  public interface KernelFactory {
    Kernels open(BufferAllocator allocator);
  }

  /**
   * One way of computing a row.
   *
   * @param seconds of a pass through all layers
   * @param bytes native memory of activations and attention, at most
   */
  public record Pass(double seconds, long bytes) {}

  /**
   * One line of a benchmark's result.
   *
   * @param blocks attention in blocks
   * @param plain the other one; absent where it was not measured
   * @param without why it was not; empty where it was
   */
  public record Result(
      String test,
      String geometry,
      int layers,
      String precision,
      int length,
      Pass blocks,
      Optional<Pass> plain,
      String without) {}

  /** {@code profiled} must be the model's kernels; all stays the caller's. */
  public LengthBench(BenchModel model, ProfiledKernels profiled, Memory memory) {
    this.model = model;
    this.profiled = profiled;
    this.memory = memory;
    this.prepared = memory.kernels().getAllocatedMemory();
  }

  /**
   * Measures one length; lengths should grow from call to call.
   *
   * @param plainKernels of the same kind as the model's
   * @param secondsLimit plain attention that would take longer is left out
   */
  public Result measure(int length, KernelFactory plainKernels, double secondsLimit) {
    Forward forward = forward(TokenRow.of(model.randomIds(length, length)));
    long activations = forward.activations();
    double others = forward.seconds() - forward.attention();
    Pass blocks =
        new Pass(forward.seconds(), activations + memory.kernels().getAllocatedMemory() - prepared);
    double ratio = lastLength == 0 ? 0 : (double) length / lastLength;
    double expected = lastPlain * ratio * ratio;
    if (stopped.isEmpty() && expected > secondsLimit) {
      stopped =
          "attention would take about %.0f s, more than %.0f s".formatted(expected, secondsLimit);
    }
    Optional<Pass> plain = stopped.isEmpty() ? plain(length, plainKernels) : Optional.empty();
    return result(
        length,
        blocks,
        plain.map(pass -> new Pass(others + pass.seconds(), activations + pass.bytes())));
  }

  /**
   * A pass in blocks.
   *
   * @param attention seconds of the pass
   * @param activations bytes, at most
   */
  private record Forward(double seconds, double attention, long activations) {}

  private Forward forward(TokenRow row) {
    try (BufferAllocator allocator =
            memory.decoders().newChildAllocator("activations", 0, Long.MAX_VALUE);
        Decoder decoder = new Decoder(model.model(), allocator)) {
      if (row.length() <= LONGEST_WARM_UP) {
        decoder.forward(List.of(row));
      }
      profiled.record();
      long start = System.nanoTime();
      decoder.forward(List.of(row));
      double seconds = (System.nanoTime() - start) * 1e-9;
      profiled.pause(seconds);
      double attention =
          profiled.take().lines().stream()
              .filter(line -> line.operation().equals(ProfiledKernels.ATTENTION))
              .mapToDouble(Profile.Line::seconds)
              .sum();
      return new Forward(seconds, attention, allocator.getPeakMemoryAllocation());
    }
  }

  private Optional<Pass> plain(int length, KernelFactory factory) {
    try {
      Pass pass = plainAttention(length, factory);
      lastPlain = pass.seconds();
      lastLength = length;
      return Optional.of(pass);
    } catch (OutOfMemoryException e) {
      stopped =
          "attention needs more than the %.1f GiB it may take"
              .formatted(memory.plain().getLimit() / (double) (1L << 30));
      return Optional.empty();
    }
  }

  private Result result(int length, Pass blocks, Optional<Pass> plain) {
    Measurement.Setting setting = model.setting();
    return new Result(
        "forward" + length,
        setting.geometry(),
        setting.layers(),
        setting.precision(),
        length,
        blocks,
        plain,
        stopped);
  }

  /** Of all layers: one is measured, on random operands, and the causal mask in full. */
  private Pass plainAttention(int length, KernelFactory factory) {
    MistralConfig config = model.config();
    int keyColumns = config.numKeyValueHeads() * config.headDim();
    int columns = config.numAttentionHeads() * config.headDim();
    try (BufferAllocator allocator =
            memory.plain().newChildAllocator("plain", 0, memory.plain().getLimit());
        Kernels kernels = factory.open(allocator);
        Workspace workspace = new Workspace(allocator)) {
      ElementType type = kernels.precision().activation();
      Matrix mask = workspace.matrix(ElementType.F32, length, length);
      Matrix queries = workspace.matrix(type, length, columns);
      Matrix keys = workspace.matrix(type, length, keyColumns);
      Matrix values = workspace.matrix(type, length, keyColumns);
      Matrix out = workspace.matrix(type, length, columns);
      List.of(queries, keys, values).forEach(MachinePeaks::fill);
      causal(mask);
      AttentionBlock block =
          new AttentionBlock(
              queries,
              keys,
              values,
              mask,
              config.numAttentionHeads(),
              config.numKeyValueHeads(),
              (float) Math.pow(config.headDim(), -0.5),
              out);
      if (length <= LONGEST_WARM_UP) {
        kernels.attend(block);
      }
      long start = System.nanoTime();
      kernels.attend(block);
      double seconds = (System.nanoTime() - start) * 1e-9;
      return new Pass(seconds * config.numHiddenLayers(), allocator.getPeakMemoryAllocation());
    }
  }

  private static void causal(Matrix mask) {
    float[] row = new float[mask.columns()];
    Arrays.fill(row, -Float.MAX_VALUE);
    for (int query = 0; query < mask.rows(); query++) {
      row[query] = 0;
      mask.writeRow(query, row);
    }
  }
}
