package io.sirocco.bench;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Precision;
import io.sirocco.model.Decoder;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.MistralModel;
import io.sirocco.model.MistralWeights;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
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

  /** Of {@code rows} rows through all layers, each of {@code length} tokens. */
  Cost prefill(int rows, int length) {
    Cost one = layers(weights, IntStream.of(length));
    return new Cost(rows * one.flop(), bytesRead());
  }

  /**
   * Of rows of these lengths through all layers, with weights as they are mapped: two operations
   * for each weight and token, and as many for each element of a query's head, twice, and each
   * position that the query sees, causally and within the window.
   */
  public static Cost layers(MistralWeights weights, IntStream lengths) {
    double elements = linearElements(weights);
    double flop =
        lengths
            .mapToDouble(
                length ->
                    2 * elements * length
                        + attention(weights.config(), seen(weights.config(), length)))
            .sum();
    return new Cost(flop, mappedBytes(weights));
  }

  /** Operations of queries that see so many positions, all together. */
  private static double attention(MistralConfig config, double seen) {
    return 4.0 * config.numHiddenLayers() * config.numAttentionHeads() * config.headDim() * seen;
  }

  /** Positions that the tokens of a row see, all together. */
  private static double seen(MistralConfig config, int length) {
    double window = Math.min(length, config.slidingWindow().orElse(length));
    return window * (window + 1) / 2 + (length - window) * window;
  }

  private static double linearElements(MistralWeights weights) {
    return weights.linearWeights().stream().mapToLong(BenchModel::elements).sum();
  }

  private static double mappedBytes(MistralWeights weights) {
    return weights.linearWeights().stream().mapToLong(BenchModel::bytes).sum();
  }

  /** Bytes of the layers' weights in the form in which these kernels read them. */
  private double bytesRead() {
    return weights.linearWeights().stream().mapToDouble(this::bytesRead).sum();
  }

  private double bytesRead(Tensor tensor) {
    return kernels().precision() == Precision.INT8
        ? elements(tensor) + (double) tensor.rows() * Float.BYTES // and a scale each
        : unquantizedBytesRead(tensor);
  }

  /** As the head is read, in all precisions. */
  private double unquantizedBytesRead(Tensor tensor) {
    return kernels().precision() == Precision.FLOAT32
        ? bytes(tensor)
        : (double) elements(tensor) * ElementType.BF16.bytes();
  }

  /**
   * Of {@code steps} steps that choose the next token of {@code rows} rows, which are {@code
   * length} tokens long on average.
   */
  Cost steps(int steps, int rows, double length) {
    double cached = rows * Math.min(length, config().slidingWindow().orElse(Integer.MAX_VALUE));
    double elements = linearElements(weights);
    double flop = 2 * (elements + elements(weights.lmHead())) * rows + attention(config(), cached);
    double bytes = bytesRead() + unquantizedBytesRead(weights.lmHead()) + kvBytes() * cached;
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
