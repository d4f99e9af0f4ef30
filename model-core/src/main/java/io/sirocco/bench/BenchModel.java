package io.sirocco.bench;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Kernels;
import io.sirocco.model.Decoder;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.MistralModel;
import io.sirocco.model.MistralWeights;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;
import org.apache.arrow.memory.BufferAllocator;

/**
 * An open checkpoint to measure. Kernels and allocator stay the caller's.
 *
 * @param geometry its name in results
 */
public record BenchModel(
    String geometry,
    MistralWeights weights,
    MistralModel model,
    LanguageModelHead head,
    Decoder decoder,
    BufferAllocator allocator)
    implements AutoCloseable {

  /** Opens a folder that {@link SyntheticCheckpoint} has written. */
  public static BenchModel open(
      Path checkpoint, String geometry, Kernels kernels, BufferAllocator allocator) {
    Checkpoint files = Checkpoint.open(checkpoint);
    MistralConfig config = MistralConfig.parse(files.config(), checkpoint.toString());
    MistralWeights weights = MistralWeights.of(files, config);
    MistralModel model = MistralModel.of(config, weights, kernels);
    return new BenchModel(
        geometry,
        weights,
        model,
        new LanguageModelHead(model, weights.lmHead()),
        new Decoder(model, allocator),
        allocator);
  }

  MistralConfig config() {
    return model.config();
  }

  Kernels kernels() {
    return model.kernels();
  }

  String precision() {
    return kernels().precision().name().toLowerCase(Locale.ROOT);
  }

  /** Elements of the layers' matrices: two operations each, for each token. */
  long layerWeights() {
    return weights.linearWeights().stream().mapToLong(BenchModel::elements).sum();
  }

  long layerBytes() {
    return weights.linearWeights().stream().mapToLong(BenchModel::bytes).sum();
  }

  long headWeights() {
    return elements(weights.lmHead());
  }

  long headBytes() {
    return bytes(weights.lmHead());
  }

  /** Keys and values of one token in all layers. */
  long kvBytes() {
    return 2L
        * config().numHiddenLayers()
        * config().numKeyValueHeads()
        * config().headDim()
        * kernels().precision().activation().bytes();
  }

  int[] randomIds(int count, long seed) {
    return new SplittableRandom(seed).ints(count, 0, config().vocabSize()).toArray();
  }

  private static long elements(Tensor tensor) {
    return (long) tensor.rows() * tensor.columns();
  }

  private static long bytes(Tensor tensor) {
    return elements(tensor) * tensor.type().bytes();
  }

  @Override
  public void close() {
    decoder.close();
  }
}
