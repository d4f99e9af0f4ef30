package io.sirocco.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * The params.json of a raw release, checked, under Hugging Face's names. Where mistral-inference
 * and the converter of transformers read it differently, as the latter; {@link #notes} says so.
 *
 * @param slidingWindow keys a query sees; none for full attention
 * @param tied whether the embedding is the output's weight as well
 * @param notes what was decided without the file's word, for people
 */
record RawParams(
    int hiddenSize,
    int layers,
    int headDim,
    int intermediateSize,
    int heads,
    int keyValueHeads,
    double normEps,
    int vocabSize,
    double ropeTheta,
    OptionalInt slidingWindow,
    int maxPositions,
    boolean tied,
    List<String> notes) {
  private static final double THETA_IF_ABSENT = 10_000;
  private static final int POSITIONS_IF_ABSENT = 32_768;

  /**
   * The release of transformers whose form this is. Where it is not told, or below 5, transformers
   * takes the pattern of Nemo's tokenizer for a mistake, and offers to replace it.
   */
  private static final String TRANSFORMERS = "5.13.1";

  /** What makes it another model than Mistral, by the key that says so. */
  private static final Set<String> OTHER_MODELS =
      Set.of(
          "moe",
          "vision_encoder",
          "lora",
          "quantization",
          "yarn",
          "llama_4_scaling",
          "audio_encoder",
          "multimodal",
          "ada_rms_norm_t_cond",
          "q_lora_rank");

  /** Those read here, and those that change nothing at inference. */
  private static final Set<String> KNOWN =
      Set.of(
          "dim",
          "n_layers",
          "head_dim",
          "hidden_dim",
          "n_heads",
          "n_kv_heads",
          "norm_eps",
          "vocab_size",
          "rope_theta",
          "sliding_window",
          "_sliding_window",
          "max_seq_len",
          "max_position_embeddings",
          "tied_embeddings",
          "max_batch_size",
          "model_parallel",
          "use_biases",
          "causal",
          "model_type");

  /**
   * Reads and checks it.
   *
   * @param where its file, for messages
   * @throws ModelException naming the key, what it holds and what was expected
   */
  static RawParams parse(JsonNode json, String where) {
    JsonFields fields = new JsonFields(json, where);
    refuseOtherModels(fields);
    int hidden = fields.requiredInteger("dim", 1);
    int heads = fields.requiredInteger("n_heads", 1);
    int kvHeads = fields.integer("n_kv_heads", heads, 1);
    if (heads % kvHeads != 0) {
      throw fields.problem("n_kv_heads", "a divisor of n_heads, " + heads);
    }
    int headDim = fields.integer("head_dim", Math.max(1, hidden / heads), 1);
    if (headDim % 2 != 0) {
      throw new ModelException(
          where, "head_dim is " + headDim + ", expected an even number: rotation turns pairs");
    }
    if (!fields.flag("causal", true)) {
      throw fields.problem("causal", "true: tokens see those before them only");
    }
    List<String> notes = new ArrayList<>();
    if (!fields.has("rope_theta")) {
      notes.add(
          "params.json has no rope_theta: 10000 is taken, as transformers does; mistral-inference"
              + " takes 1000000");
    }
    if (fields.has("_sliding_window")) {
      notes.add(
          "_sliding_window of params.json is not used, as transformers does not: rows longer than it"
              + " are answered with full attention");
    }
    Set<String> unknown = new TreeSet<>();
    json.fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(KNOWN);
    unknown.removeAll(OTHER_MODELS);
    if (!unknown.isEmpty()) {
      notes.add("keys of params.json that are not known, and not used: " + unknown);
    }
    return new RawParams(
        hidden,
        fields.requiredInteger("n_layers", 1),
        headDim,
        fields.requiredInteger("hidden_dim", 1),
        heads,
        kvHeads,
        positive(fields, "norm_eps"),
        fields.requiredInteger("vocab_size", 1),
        fields.has("rope_theta") ? positive(fields, "rope_theta") : THETA_IF_ABSENT,
        window(fields),
        fields.integer(
            "max_position_embeddings", fields.integer("max_seq_len", POSITIONS_IF_ABSENT, 1), 1),
        fields.flag("tied_embeddings", false),
        List.copyOf(notes));
  }

  /** The same with another number of positions, which nothing of the release says. */
  RawParams withMaxPositions(int other) {
    return new RawParams(
        hiddenSize,
        layers,
        headDim,
        intermediateSize,
        heads,
        keyValueHeads,
        normEps,
        vocabSize,
        ropeTheta,
        slidingWindow,
        other,
        tied,
        notes);
  }

  /**
   * The config.json of the model, with the keys of transformers 4 and 5.
   *
   * @param dtype of the weights, as torch names it
   */
  ObjectNode config(String dtype) {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.putArray("architectures").add("MistralForCausalLM");
    config.put("attention_dropout", 0.0);
    config.put("bos_token_id", 1);
    config.put("dtype", dtype);
    config.put("eos_token_id", 2);
    config.put("head_dim", headDim);
    config.put("hidden_act", "silu");
    config.put("hidden_size", hiddenSize);
    config.put("initializer_range", 0.02);
    config.put("intermediate_size", intermediateSize);
    config.put("max_position_embeddings", maxPositions);
    config.put("model_type", "mistral");
    config.put("num_attention_heads", heads);
    config.put("num_hidden_layers", layers);
    config.put("num_key_value_heads", keyValueHeads);
    config.putNull("pad_token_id");
    config.put("rms_norm_eps", normEps);
    config.putObject("rope_parameters").put("rope_theta", ropeTheta).put("rope_type", "default");
    config.put("rope_theta", ropeTheta);
    if (slidingWindow.isPresent()) {
      config.put("sliding_window", slidingWindow.getAsInt());
    } else {
      config.putNull("sliding_window");
    }
    config.put("tie_word_embeddings", tied);
    config.put("torch_dtype", dtype);
    config.put("transformers_version", TRANSFORMERS);
    config.put("use_cache", true);
    config.put("vocab_size", vocabSize);
    return config;
  }

  /** Also as a float, which is what the model computes with. */
  private static double positive(JsonFields fields, String key) {
    double number = fields.requiredNumber(key, 0);
    if ((float) number <= 0) {
      throw fields.problem(key, "a number above 0");
    }
    return number;
  }

  private static void refuseOtherModels(JsonFields fields) {
    for (String key : OTHER_MODELS.stream().sorted().toList()) {
      JsonNode value = fields.object().path(key);
      boolean off =
          value.isMissingNode()
              || value.isNull()
              || (value.isBoolean() && !value.asBoolean())
              || (value.isContainerNode() && value.isEmpty());
      if (!off) {
        throw new ModelException(
            fields.where(), key + " makes this another model than Mistral, which is not supported");
      }
    }
  }

  /** A number, the text of one, or a list with one for each layer, which must be the same. */
  private static OptionalInt window(JsonFields fields) {
    if (!fields.has("sliding_window")) {
      return OptionalInt.empty();
    }
    JsonNode value = fields.object().get("sliding_window");
    if (!value.isArray()) {
      return OptionalInt.of(window(fields, value));
    }
    for (JsonNode layer : value) {
      if (!layer.equals(value.get(0))) {
        throw fields.problem(
            "sliding_window", "the same window for all layers: others are not supported");
      }
    }
    return value.isEmpty() || value.get(0).isNull()
        ? OptionalInt.empty()
        : OptionalInt.of(window(fields, value.get(0)));
  }

  private static int window(JsonFields fields, JsonNode value) {
    if (value.isTextual() && value.asText().matches("[1-9][0-9]{0,8}")) {
      return Integer.parseInt(value.asText());
    }
    if (value.isIntegralNumber() && value.canConvertToInt() && value.asInt() > 0) {
      return value.asInt();
    }
    throw fields.problem("sliding_window", "an integer of 1 or more, or null");
  }
}
