package io.sirocco.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.JsonFields;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.kernel.Activation;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * A model's hyperparameters, by Hugging Face's names. Reads the forms of transformers 4 and 5, with
 * the defaults of their MistralConfig; unknown keys are ignored, as there.
 *
 * @param numKeyValueHeads divides numAttentionHeads
 * @param headDim elements of a head; even, and free of hidden_size / num_attention_heads
 * @param slidingWindow keys a query sees, itself included; none for full attention
 * @param padTokenId where it is, decides which token is classified
 * @param labels of the classifier; LABEL_0 and LABEL_1 if the file names none
 */
public record MistralConfig(
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int numHiddenLayers,
    int numAttentionHeads,
    int numKeyValueHeads,
    int headDim,
    Activation hiddenAct,
    int maxPositionEmbeddings,
    float rmsNormEps,
    RopeParameters rope,
    OptionalInt slidingWindow,
    boolean tieWordEmbeddings,
    OptionalInt padTokenId,
    Labels labels) {
  private static final String MODEL_TYPE = "mistral";

  /** Absent is not the same as null, which means full attention. */
  private static final int WINDOW_IF_ABSENT = 4096;

  /**
   * Reads and checks a config.
   *
   * @param config the object in config.json
   * @param where its file, for messages
   * @throws ModelException naming the key, what it holds and what was expected
   */
  public static MistralConfig parse(JsonNode config, String where) {
    JsonFields fields = new JsonFields(config, where);
    String type = fields.text("model_type").orElse("missing");
    if (!type.equals(MODEL_TYPE)) {
      throw new ModelException(where, "model_type is " + type + ", expected " + MODEL_TYPE);
    }
    if (fields.has("layer_types")) {
      throw new ModelException(
          where,
          "layer_types makes this a Ministral with its own attention for each layer, which"
              + " is not supported");
    }
    if (!fields.flag("is_causal", true)) {
      throw new ModelException(
          where,
          "is_causal is false: attention in both directions is not supported; with true, each token"
              + " attends to those before it, which is another model");
    }
    int hidden = fields.integer("hidden_size", 4096, 1);
    int heads = fields.integer("num_attention_heads", 32, 1);
    int kvHeads = fields.integer("num_key_value_heads", kvHeadsIfAbsent(fields, heads), 1);
    if (heads % kvHeads != 0) {
      throw new ModelException(
          where,
          "num_key_value_heads is "
              + kvHeads
              + ", expected a divisor of num_attention_heads, "
              + heads);
    }
    int headDim = headDim(fields, hidden, heads);
    int positions = fields.integer("max_position_embeddings", 131072, 1);
    return new MistralConfig(
        fields.integer("vocab_size", 32000, 1),
        hidden,
        fields.integer("intermediate_size", 14336, 1),
        fields.integer("num_hidden_layers", 32, 1),
        heads,
        kvHeads,
        headDim,
        activation(fields),
        positions,
        (float) fields.number("rms_norm_eps", 1e-6, 0),
        RopeParameters.parse(fields, headDim, positions),
        fields.mentions("sliding_window")
            ? fields.optionalInteger("sliding_window", 1)
            : OptionalInt.of(WINDOW_IF_ABSENT),
        fields.flag("tie_word_embeddings", false),
        fields.optionalInteger("pad_token_id", 0),
        LabelFields.parse(fields));
  }

  /** null means one per attention head; absent, the default of 8. */
  private static int kvHeadsIfAbsent(JsonFields fields, int heads) {
    return fields.mentions("num_key_value_heads") ? heads : 8;
  }

  private static int headDim(JsonFields fields, int hidden, int heads) {
    int given = fields.integer("head_dim", 0, 0);
    int headDim = given == 0 ? hidden / heads : given;
    if (headDim < 2 || headDim % 2 != 0) {
      throw new ModelException(
          fields.where(),
          "head_dim is "
              + headDim
              + ", expected an even number: rotary embedding"
              + " turns the halves of a head");
    }
    return headDim;
  }

  private static Activation activation(JsonFields fields) {
    String name = fields.text("hidden_act").orElse("silu");
    return switch (name) {
      case "silu", "swish" -> Activation.SILU;
      case "gelu" -> Activation.GELU;
      case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> Activation.GELU_TANH;
      case "quick_gelu" -> Activation.QUICK_GELU;
      case "relu" -> Activation.RELU;
      case "tanh" -> Activation.TANH;
      case "sigmoid" -> Activation.SIGMOID;
      default ->
          throw fields.problem(
              "hidden_act",
              "silu, swish, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu,"
                  + " relu, tanh or sigmoid");
    };
  }

  /** Its sizes, in one line for people. */
  public String geometry() {
    return String.format(
        Locale.ROOT,
        "%d layers, hidden %d, %d heads on %d key-value heads of %d, feed-forward %d, vocabulary"
            + " %d, window %s",
        numHiddenLayers,
        hiddenSize,
        numAttentionHeads,
        numKeyValueHeads,
        headDim,
        intermediateSize,
        vocabSize,
        slidingWindow.isPresent() ? slidingWindow.getAsInt() : "none");
  }
}
