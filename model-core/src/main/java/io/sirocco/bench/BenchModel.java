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
    Decoder decoder,
    BufferAllocator allocator)
    implements AutoCloseable {

  /** Opens a model folder, such as {@link SyntheticCheckpoint} writes. */
  public static BenchModel open(
      Path checkpoint, String geometry, Kernels kernels, BufferAllocator allocator) {
    MistralWeights weights = weights(checkpoint);
    MistralModel model = MistralModel.of(weights.config(), weights, kernels);
    return new BenchModel(geometry, weights, model, new Decoder(model, allocator), allocator);
  }

  /** The weights of a model folder, mapped and not prepared. */
  public static MistralWeights weights(Path checkpoint) {
    Checkpoint files = Checkpoint.open(checkpoint);
    MistralConfig config = MistralConfig.parse(files.config(), checkpoint.toString());
    return MistralWeights.of(files, config);
  }

  /** How results call this model. */
  public Measurement.Setting setting() {
    return setting(geometry, config(), kernels());
  }

  public static Measurement.Setting setting(
      String geometry, MistralConfig config, Kernels kernels) {
    return new Measurement.Setting(
        geometry,
        config.numHiddenLayers(),
        kernels.precision().name().toLowerCase(Locale.ROOT),
        kernels.description());
  }

  MistralConfig config() {
    return model.config();
  }

  Kernels kernels() {
    return model.kernels();
  }

  /** Only a language model has one. */
  LanguageModelHead head() {
    return new LanguageModelHead(model, weights.lmHead());
  }

  /**
   * Of {@code tokens} tokens through all layers: two operations for each weight. Where weights were
   * prepared by copying them into another form, that form is what is read.
   */
  Cost prefill(double tokens) {
    Cost mapped = layers(weights, tokens);
    long copied = model.copiedBytes();
    return copied == 0 ? mapped : new Cost(mapped.flop(), copied);
  }

  /** As {@link #prefill}, of weights as they are mapped. */
  public static Cost layers(MistralWeights weights, double tokens) {
    double elements = weights.linearWeights().stream().mapToLong(BenchModel::elements).sum();
    double bytes = weights.linearWeights().stream().mapToLong(BenchModel::bytes).sum();
    return new Cost(2 * elements * tokens, bytes);
  }

  /**
   * Of {@code steps} steps that choose the next token of {@code rows} rows, which are {@code
   * length} tokens long on average.
   */
  Cost steps(int steps, int rows, double length) {
    double cached = rows * Math.min(length, config().slidingWindow().orElse(Integer.MAX_VALUE));
    Cost layers = prefill(rows);
    double flop = layers.flop() + 2.0 * elements(weights.lmHead()) * rows;
    double bytes = layers.bytes() + bytes(weights.lmHead()) + kvBytes() * cached;
    return new Cost(steps * flop, steps * bytes);
  }

  /** Keys and values of one token in all layers. */
  private double kvBytes() {
    return 2.0
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
