package io.sirocco.checkpoint;

import io.sirocco.checkpoint.RawTensor.Joined;
import io.sirocco.checkpoint.RawTensor.RowOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds the tensors that params.json implies among those that a release has: the one place that
 * knows a release's names, and how its parts are cut.
 */
final class RawTensors {
  private static final String OUTPUT = "output.weight";

  private final RawParams params;
  private final List<Map<String, RawTensor.Part>> parts;
  private final String where;
  private final List<RawTensor> found = new ArrayList<>();
  private final Set<String> used = new HashSet<>();

  /**
   * @param parts a map by raw name for each part that tensors are split into
   * @param where params.json, for messages
   */
  RawTensors(RawParams params, List<Map<String, RawTensor.Part>> parts, String where) {
    this.params = params;
    this.parts = parts;
    this.where = where;
  }

  /**
   * All of them, in Hugging Face's order.
   *
   * @throws ModelException naming the first that is missing, or of another shape or type, or those
   *     that Mistral does not have
   */
  List<RawTensor> all() {
    long hidden = params.hiddenSize();
    long vocabulary = params.vocabSize();
    find(
        "model.embed_tokens.weight",
        "tok_embeddings.weight",
        Joined.BY_COLUMNS,
        vocabulary,
        hidden);
    for (int layer = 0; layer < params.layers(); layer++) {
      layer("model.layers." + layer + ".", "layers." + layer + ".");
    }
    find("model.norm.weight", "norm.weight", Joined.REPLICATED, hidden);
    if (!params.tied() || parts.get(0).containsKey(OUTPUT)) {
      find("lm_head.weight", OUTPUT, Joined.BY_ROWS, vocabulary, hidden);
    }
    refuseOthers();
    return List.copyOf(found);
  }

  private void layer(String name, String raw) {
    long hidden = params.hiddenSize();
    long feedForward = params.intermediateSize();
    long queries = (long) params.heads() * params.headDim();
    long keys = (long) params.keyValueHeads() * params.headDim();
    requireWholeHeads(raw);
    RowOrder halves = new RowOrder(params.headDim());
    String attention = raw + "attention.";
    find(name + "self_attn.q_proj.weight", attention + "wq.weight", halves, queries, hidden);
    find(name + "self_attn.k_proj.weight", attention + "wk.weight", halves, keys, hidden);
    find(name + "self_attn.v_proj.weight", attention + "wv.weight", Joined.BY_ROWS, keys, hidden);
    find(
        name + "self_attn.o_proj.weight",
        attention + "wo.weight",
        Joined.BY_COLUMNS,
        hidden,
        queries);
    String mlp = raw + "feed_forward.";
    find(name + "mlp.gate_proj.weight", mlp + "w1.weight", Joined.BY_ROWS, feedForward, hidden);
    find(name + "mlp.up_proj.weight", mlp + "w3.weight", Joined.BY_ROWS, feedForward, hidden);
    find(name + "mlp.down_proj.weight", mlp + "w2.weight", Joined.BY_COLUMNS, hidden, feedForward);
    find(name + "input_layernorm.weight", raw + "attention_norm.weight", Joined.REPLICATED, hidden);
    find(
        name + "post_attention_layernorm.weight",
        raw + "ffn_norm.weight",
        Joined.REPLICATED,
        hidden);
  }

  /** Heads are cut between parts, never through. */
  private void requireWholeHeads(String raw) {
    int count = parts.size();
    if (params.heads() % count != 0 || params.keyValueHeads() % count != 0) {
      throw new ModelException(
          where,
          "%d parts cannot hold %d heads on %d key-value heads (%sattention), expected a number of"
                  .formatted(count, params.heads(), params.keyValueHeads(), raw)
              + " parts that divides both");
    }
  }

  private void find(String name, String raw, RowOrder order, long... shape) {
    found.add(tensor(name, raw, order, Joined.BY_ROWS, shape));
  }

  private void find(String name, String raw, Joined joined, long... shape) {
    found.add(tensor(name, raw, RowOrder.AS_IS, joined, shape));
  }

  private RawTensor tensor(String name, String raw, RowOrder order, Joined joined, long... shape) {
    List<Long> expected = partShape(raw, joined, shape);
    List<RawTensor.Part> pieces = new ArrayList<>();
    ElementType type = null;
    for (Map<String, RawTensor.Part> part : parts) {
      RawTensor.Part piece = part.get(raw);
      if (piece == null) {
        throw missing(raw, expected, part);
      }
      WeightFile.Entry entry = piece.entry();
      String of = piece.shown() + ": tensor " + raw;
      if (!entry.shape().equals(expected)) {
        throw new ModelException(
            of, "has shape " + entry.shape() + ", params.json implies " + expected + inParts());
      }
      ElementType own = TensorPlace.type(of, entry);
      if (type != null && own != type) {
        throw new ModelException(of, "is of " + own + ", but of " + type + " in the first part");
      }
      type = own;
      pieces.add(piece);
    }
    used.add(raw);
    List<Long> whole = Arrays.stream(shape).boxed().toList();
    return new RawTensor(name, raw, type, whole, order, joined, pieces);
  }

  private List<Long> partShape(String raw, Joined joined, long... shape) {
    Long[] part = Arrays.stream(shape).boxed().toArray(Long[]::new);
    if (joined != Joined.REPLICATED) {
      int cut = joined == Joined.BY_ROWS ? 0 : 1;
      if (part[cut] % parts.size() != 0) {
        throw new ModelException(
            where,
            "tensor %s of shape %s cannot be in %d parts of the same size"
                .formatted(raw, Arrays.toString(shape), parts.size()));
      }
      part[cut] /= parts.size();
    }
    return List.of(part);
  }

  private String inParts() {
    return parts.size() == 1 ? "" : " in each of " + parts.size() + " parts";
  }

  /** Names what is there instead, since that tells what the release is. */
  private ModelException missing(
      String raw, List<Long> expected, Map<String, RawTensor.Part> part) {
    List<String> others = part.keySet().stream().filter(key -> !used.contains(key)).toList();
    return new ModelException(
        part.values().stream().findFirst().map(any -> any.shown().toString()).orElse(where),
        "tensor "
            + raw
            + " is missing; params.json implies it with shape "
            + expected
            + (others.isEmpty() ? "" : "; there are " + RawRelease.some(others)));
  }

  private void refuseOthers() {
    for (Map<String, RawTensor.Part> part : parts) {
      List<String> unknown = part.keySet().stream().filter(key -> !used.contains(key)).toList();
      if (!unknown.isEmpty()) {
        throw new ModelException(
            part.get(unknown.get(0)).shown().toString(),
            "holds tensors that no Mistral of "
                + params.layers()
                + " layers has: "
                + RawRelease.some(unknown));
      }
    }
  }
}
