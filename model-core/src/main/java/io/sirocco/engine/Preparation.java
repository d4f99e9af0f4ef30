package io.sirocco.engine;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Precision;
import io.sirocco.prepared.PreparedFolder;
import io.sirocco.prepared.PreparedMemory;
import io.sirocco.prepared.PreparedWeights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/** Which weights an engine brings into another form before it computes, and where they are kept. */
record Preparation(Kind kind, String folder) {
  /** Digits of the model's fingerprint that name its folder: enough to tell models apart. */
  private static final int FINGERPRINT_DIGITS = 32;

  /** Changes when what is kept of the same weights does. */
  private static final String FORM = "1-";

  enum Kind {
    NONE,
    PACKED,
    INT8
  }

  static Preparation of(EngineOptions options, KernelSetup setup, ModelFiles files) {
    Preparation wanted = new Preparation(kind(options, setup), options.weights().folder());
    boolean chosen =
        wanted.kind() == Kind.PACKED && options.weights().form() == WeightOptions.Form.AUTO;
    return chosen && !wanted.fits(files) ? new Preparation(Kind.NONE, "") : wanted;
  }

  /** Whether they are there, or their folder can be written and has room for them. */
  private boolean fits(ModelFiles files) {
    Path place = Path.of(folder).toAbsolutePath();
    while (!Files.exists(place) && place.getParent() != null) {
      place = place.getParent();
    }
    try {
      // The name takes reading samples of all weights.
      return (Files.isWritable(place) && Files.getFileStore(place).getUsableSpace() > bytes(files))
          || Files.isDirectory(Path.of(folder).resolve(name(files)));
    } catch (IOException e) {
      return false;
    }
  }

  private static String name(ModelFiles files) {
    return FORM + files.checkpoint().weightsFingerprint().substring(0, FINGERPRINT_DIGITS);
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
    // A classifier's head stays as it is; a language model's is packed.
    long head =
        files.classifies() ? 0 : elements(files.languageModelHead()) * ElementType.BF16.bytes();
    return kind == Kind.NONE ? 0 : layers + head;
  }

  /** Bytes of the checkpoint that nobody reads any more once they are prepared. */
  long replacedBytes(ModelFiles files) {
    long layers = files.weights().linearWeights().stream().mapToLong(Tensor::bytes).sum();
    boolean headIsRead =
        files.classifies() || files.languageModelHead() == files.weights().embedTokens();
    return kind == Kind.NONE ? 0 : layers + (headIsRead ? 0 : files.languageModelHead().bytes());
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
    return Optional.of(PreparedFolder.open(Path.of(folder), name(files)));
  }
}
