package io.sirocco.model;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The weights by their Hugging Face names, with the shapes that the config implies: the one place
 * that knows either. Heads are looked up when they are asked for, since a checkpoint has only its
 * own.
 *
 * @param checkpoint they are mapped from
 * @param embedTokens {@code [vocab_size, hidden_size]}
 * @param layers in order
 * @param norm {@code [hidden_size]}
 */
public record MistralWeights(
    Checkpoint checkpoint,
    MistralConfig config,
    Tensor embedTokens,
    List<Layer> layers,
    Tensor norm) {
  private static final String EMBED_TOKENS = "model.embed_tokens.weight";
  private static final String NORM = "model.norm.weight";
  private static final String LM_HEAD = "lm_head.weight";
  private static final String SCORE = "score.weight";

  /** One layer's weights; a linear layer's is {@code [outputs, inputs]}. */
  public record Layer(
      Tensor inputLayernorm,
      Tensor qProj,
      Tensor kProj,
      Tensor vProj,
      Tensor oProj,
      Tensor postAttentionLayernorm,
      Tensor gateProj,
      Tensor upProj,
      Tensor downProj) {}

  /**
   * Finds and checks all weights of the decoder.
   *
   * @throws ModelException naming the first that is missing or of another shape
   */
  public static MistralWeights of(Checkpoint checkpoint, MistralConfig config) {
    List<Layer> layers = new ArrayList<>();
    Tensor embedTokens = embedTokens(checkpoint, config);
    for (int index = 0; index < config.numHiddenLayers(); index++) {
      layers.add(layer(checkpoint, config, index));
    }
    Tensor norm = checkpoint.require(NORM, config.hiddenSize());
    return new MistralWeights(checkpoint, config, embedTokens, List.copyOf(layers), norm);
  }

  /** The weights of the layers' matrix products. */
  public List<Tensor> linearWeights() {
    return layers.stream()
        .flatMap(
            layer ->
                Stream.of(
                    layer.qProj(),
                    layer.kProj(),
                    layer.vProj(),
                    layer.oProj(),
                    layer.gateProj(),
                    layer.upProj(),
                    layer.downProj()))
        .toList();
  }

  /**
   * The language-model head, {@code [vocab_size, hidden_size]}: its own weight where the file has
   * one, even if the config ties it to the embedding.
   *
   * @throws ModelException if it is absent and not tied
   */
  public Tensor lmHead() {
    if (checkpoint.find(LM_HEAD).isEmpty() && config.tieWordEmbeddings()) {
      return embedTokens;
    }
    return checkpoint.require(LM_HEAD, config.vocabSize(), config.hiddenSize());
  }

  /** Whether the checkpoint has a classifier's head. */
  public boolean classifies() {
    return checkpoint.find(SCORE).isPresent();
  }

  /**
   * The classifier's weight, {@code [labels, hidden_size]}.
   *
   * @throws ModelException if it is absent: Hugging Face would make up a random one
   */
  public Tensor score() {
    if (checkpoint.find(SCORE).isEmpty()) {
      throw new ModelException(
          checkpoint.files(),
          "tensor "
              + SCORE
              + " is missing: this is not a MistralForSequenceClassification; expected"
              + " a checkpoint that was trained as a classifier");
    }
    return checkpoint.require(SCORE, config.labels().names().size(), config.hiddenSize());
  }

  /** Tied checkpoints may hold the one matrix under either name. */
  private static Tensor embedTokens(Checkpoint checkpoint, MistralConfig config) {
    boolean onlyHead = config.tieWordEmbeddings() && checkpoint.find(EMBED_TOKENS).isEmpty();
    return checkpoint.require(
        onlyHead ? LM_HEAD : EMBED_TOKENS, config.vocabSize(), config.hiddenSize());
  }

  /** A weight that the config implies. */
  @SuppressWarnings("ArrayRecordComponent") // read once, never compared
  private record Expected(String name, long... shape) {}

  /** Of a layer, in the order of {@link Layer}. */
  private static List<Expected> expected(MistralConfig config, int index) {
    String prefix = "model.layers." + index + ".";
    long hidden = config.hiddenSize();
    long feedForward = config.intermediateSize();
    long queries = (long) config.numAttentionHeads() * config.headDim();
    long keys = (long) config.numKeyValueHeads() * config.headDim();
    return List.of(
        new Expected(prefix + "input_layernorm.weight", hidden),
        new Expected(prefix + "self_attn.q_proj.weight", queries, hidden),
        new Expected(prefix + "self_attn.k_proj.weight", keys, hidden),
        new Expected(prefix + "self_attn.v_proj.weight", keys, hidden),
        new Expected(prefix + "self_attn.o_proj.weight", hidden, queries),
        new Expected(prefix + "post_attention_layernorm.weight", hidden),
        new Expected(prefix + "mlp.gate_proj.weight", feedForward, hidden),
        new Expected(prefix + "mlp.up_proj.weight", feedForward, hidden),
        new Expected(prefix + "mlp.down_proj.weight", hidden, feedForward));
  }

  private static Layer layer(Checkpoint checkpoint, MistralConfig config, int index) {
    List<Tensor> found =
        expected(config, index).stream()
            .map(weight -> checkpoint.require(weight.name(), weight.shape()))
            .toList();
    return new Layer(
        found.get(0),
        found.get(1),
        found.get(2),
        found.get(3),
        found.get(4),
        found.get(5),
        found.get(6),
        found.get(7),
        found.get(8));
  }

  /**
   * What {@link #of} would refuse, one after the other rather than the first alone; weights of the
   * decoder only.
   *
   * @param most how many to name at most
   */
  public static List<String> problems(Checkpoint checkpoint, MistralConfig config, int most) {
    List<String> problems = new ArrayList<>();
    collect(problems, () -> embedTokens(checkpoint, config));
    for (int index = 0; index < config.numHiddenLayers() && problems.size() < most; index++) {
      for (Expected weight : expected(config, index)) {
        collect(problems, () -> checkpoint.require(weight.name(), weight.shape()));
      }
    }
    collect(problems, () -> checkpoint.require(NORM, config.hiddenSize()));
    return List.copyOf(problems.subList(0, Math.min(most, problems.size())));
  }

  private static void collect(List<String> problems, Supplier<Tensor> weight) {
    try {
      Tensor unused = weight.get();
    } catch (ModelException e) {
      problems.add(e.getMessage());
    }
  }
}
