package io.sirocco.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.JsonFields;
import io.sirocco.checkpoint.ModelException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What an adapter can ask for and nobody here computes: it is refused by name, since leaving it out
 * would be another adapter.
 */
final class UnsupportedAdapters {
  private static final String LORA = "LORA";
  private static final String MERGE =
      "; merge the adapter into the model with peft's merge_and_unload";

  /** Keys that are null, false or empty in an adapter that is only low-rank matrices. */
  private static final Map<String, String> KEYS =
      Map.ofEntries(
          Map.entry("use_dora", "DoRA rescales the merged weight by a trained magnitude"),
          Map.entry("lora_bias", "a bias in the branch"),
          Map.entry("layer_replication", "layers that are there several times"),
          Map.entry("target_parameters", "branches of parameters that are no linear layers"),
          Map.entry("trainable_token_indices", "trained embeddings of single tokens"),
          Map.entry("alora_invocation_tokens", "branches that begin behind certain tokens"),
          Map.entry("use_qalora", "branches of pooled inputs"),
          Map.entry("use_bdlora", "block-diagonal branches"),
          Map.entry("arrow_config", "routing between adapters"),
          Map.entry("kasa_config", "branches with singular values"),
          Map.entry("velora_config", "a variant of LoRA that is not known here"),
          Map.entry("monteclora_config", "a variant of LoRA that is not known here"));

  /**
   * Starts that leave the model's own weights as they are. Others, such as PiSSA, OLoRA, CorDA and
   * LoftQ, take something out of them or put others in their place; so may those still unknown.
   */
  private static final Set<String> LEAVES_WEIGHTS = Set.of("gaussian", "eva", "orthogonal");

  private static final Set<String> KNOWN_USES = Set.of("use_rslora");

  private UnsupportedAdapters() {}

  /**
   * @throws ModelException naming the first key that asks for more than low-rank matrices
   */
  static void refuse(JsonFields fields) {
    String type = fields.text("peft_type").orElse("missing");
    if (!type.equalsIgnoreCase(LORA)) {
      throw new ModelException(
          fields.where(), "peft_type is " + type + ", expected " + LORA + MERGE);
    }
    String bias = fields.text("bias").orElse("none");
    if (!bias.equals("none")) {
      throw new ModelException(
          fields.where(),
          "bias is " + bias + ", expected none: a Mistral has no biases, trained or not" + MERGE);
    }
    KEYS.forEach(
        (key, what) -> {
          if (isSet(fields.object().path(key))) {
            throw new ModelException(
                fields.where(), key + " is set: " + what + ", which is not supported" + MERGE);
          }
        });
    requireNoOtherUse(fields);
    requireOwnWeights(fields);
  }

  private static void requireNoOtherUse(JsonFields fields) {
    fields
        .object()
        .fieldNames()
        .forEachRemaining(
            key -> {
              boolean other = key.startsWith("use_") && !KNOWN_USES.contains(key);
              if (other && isSet(fields.object().path(key))) {
                throw new ModelException(
                    fields.where(), key + " is set, which is not known here" + MERGE);
              }
            });
  }

  private static void requireOwnWeights(JsonFields fields) {
    JsonNode start = fields.object().path("init_lora_weights");
    boolean flag = start.isMissingNode() || start.isNull() || start.isBoolean();
    boolean known =
        start.isTextual() && LEAVES_WEIGHTS.contains(start.asText().toLowerCase(Locale.ROOT));
    if (!flag && !known) {
      throw fields.problem(
          "init_lora_weights",
          "true, false, gaussian, eva or orthogonal: with another start an adapter belongs to a"
              + " model with other weights than the one it names; save it with peft's"
              + " path_initial_model_for_weight_conversion, or merge it into the model that it was"
              + " trained on");
    }
  }

  private static boolean isSet(JsonNode value) {
    boolean empty =
        value.isMissingNode()
            || value.isNull()
            || (value.isBoolean() && !value.asBoolean())
            || (value.isContainerNode() && value.isEmpty());
    return !empty;
  }
}
