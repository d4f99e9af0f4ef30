package io.sirocco.golden;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.kernel.JavaKernels;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.kernel.onednn.OneDnnUnavailableException;
import io.sirocco.model.Decoder;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.MistralModel;
import io.sirocco.model.MistralWeights;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/** A golden model opened for a test; closing it fails if native memory is left. */
record GoldenModel(
    BufferAllocator allocator,
    Kernels kernels,
    MistralWeights weights,
    MistralModel model,
    Decoder decoder)
    implements AutoCloseable {

  /** The kernels under test. */
  enum With {
    JAVA,
    ONEDNN
  }

  static GoldenModel open(Path folder, With with, Precision precision) {
    Checkpoint checkpoint = Checkpoint.open(folder);
    MistralConfig config = MistralConfig.parse(checkpoint.config(), folder.toString());
    MistralWeights weights = MistralWeights.of(checkpoint, config);
    BufferAllocator allocator = new RootAllocator();
    Kernels kernels = kernels(with, precision, allocator);
    MistralModel model = MistralModel.of(config, weights, kernels);
    return new GoldenModel(allocator, kernels, weights, model, new Decoder(model, allocator));
  }

  private static Kernels kernels(With with, Precision precision, BufferAllocator allocator) {
    if (with == With.JAVA) {
      return new JavaKernels(precision, 1);
    }
    try {
      return OneDnnKernels.open(precision, 2, allocator, Optional.empty());
    } catch (OneDnnUnavailableException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    decoder.close();
    kernels.close();
    allocator.close();
  }
}
