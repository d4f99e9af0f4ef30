package io.sirocco.engine;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Precision;
import io.sirocco.prepared.PreparedFolder;
import io.sirocco.prepared.PreparedMemory;
import io.sirocco.prepared.PreparedWeights;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/** Which weights an engine brings into another form before it computes, and where they are kept. */
record Preparation(Kind kind, String folder) {
  /** Digits of the model's fingerprint that name its folder: enough to tell models apart. */
  private static final int FINGERPRINT_DIGITS = 32;

  enum Kind {
    NONE,
    PACKED,
    INT8
  }

  static Preparation of(EngineOptions options, KernelSetup setup) {
    return new Preparation(kind(options, setup), options.weights().folder());
  }

  private static Kind kind(EngineOptions options, KernelSetup setup) {
    if (!setup.oneDnn() || setup.precision() == Precision.FLOAT32) {
      return Kind.NONE;
    }
    if (setup.precision() == Precision.INT8) {
      return Kind.INT8;
    }
    return switch (options.weights().form()) {
      case STORED -> Kind.NONE;
      case PACKED -> Kind.PACKED;
      case AUTO ->
          options.task() instanceof Task.Generate && !options.weights().folder().isEmpty()
              ? Kind.PACKED
              : Kind.NONE;
    };
  }

  /** Whether all processes of the host share what is prepared. */
  boolean shared() {
    return !folder.isEmpty();
  }

  /** Bytes of the prepared weights. */
  long bytes(ModelFiles files) {
    long layers = 0;
    for (Tensor weight : files.weights().linearWeights()) {
      layers +=
          kind == Kind.INT8
              ? elements(weight) + (long) weight.rows() * Float.BYTES
              : elements(weight) * ElementType.BF16.bytes();
    }
    return kind == Kind.NONE ? 0 : layers + headBytes(files);
  }

  /** Bytes of the checkpoint that nobody reads any more once they are prepared. */
  long replacedBytes(ModelFiles files) {
    long layers = files.weights().linearWeights().stream().mapToLong(Tensor::bytes).sum();
    return kind == Kind.NONE ? 0 : layers + headBytes(files);
  }

  /** A classifier's head stays as it is; a language model's is packed, unless it is tied. */
  private static long headBytes(ModelFiles files) {
    boolean separate = files.head() != files.weights().embedTokens();
    return !files.classifies() && separate ? elements(files.head()) * ElementType.BF16.bytes() : 0;
  }

  private static long elements(Tensor tensor) {
    return (long) tensor.rows() * tensor.columns();
  }

  /** Where they are kept; closed by the caller, after the kernels. */
  Optional<PreparedWeights> open(ModelFiles files, BufferAllocator allocator) {
    if (kind == Kind.NONE) {
      return Optional.empty();
    }
    if (!shared()) {
      return Optional.of(new PreparedMemory(allocator));
    }
    String model = files.checkpoint().fingerprint().substring(0, FINGERPRINT_DIGITS);
    return Optional.of(PreparedFolder.open(Path.of(folder), model));
  }
}
