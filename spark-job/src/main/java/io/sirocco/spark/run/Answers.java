package io.sirocco.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.engine.EnginePlan;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.sampling.EffectiveSetting;
import io.sirocco.spark.config.ConfigSection;
import io.sirocco.spark.config.EmbedSection;
import io.sirocco.spark.config.GenerateSection;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.config.JobConfigWriter;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * All that the answers of a job depend on, besides the rows: model, task, numbers, options,
 * version. Runs that agree in it may use each other's results.
 *
 * @param description for people, and what the fingerprint is made of
 */
record Answers(JsonNode description) {
  /** Maps come in the order of their keys. */
  private static final ObjectMapper JSON =
      new ObjectMapper().configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);

  /** Where rows come from, go to, and how many are computed at once: no answer depends on it. */
  private static final List<String> WITHOUT_EFFECT = List.of("output", "batch", "errors");

  /**
   * The rest of the input says which columns a row's text is made of, which the row's key holds.
   */
  private static final Set<String> OF_PROMPTS = Set.of("chat", "messages-column", "system-prompt");

  /** What the answers of this job will depend on. */
  static Answers of(RunSetup setup) {
    JobConfig config = setup.config();
    EnginePlan plan = setup.plan();
    ObjectNode all = (ObjectNode) JobConfigWriter.toTree(config);
    all.remove(WITHOUT_EFFECT);
    boolean messages = config.input().messagesColumn().isPresent();
    ((ObjectNode) all.get("input"))
        .retain(OF_PROMPTS)
        .put("messages-column", messages)
        .put("tokens-column", config.input().tokensColumn().isPresent())
        .put("attention-mask-column", config.input().attentionMaskColumn().isPresent());
    all.put("logits", config.output().logits());
    ObjectNode model = (ObjectNode) all.get("model");
    // Packing weights changes no bit.
    model.remove(List.of("path", "require-identical", "weights"));
    // The fingerprint is of the adapters as well, with their names; rows hold the name they give.
    model.remove(List.of("adapter", "adapters", "adapter-column"));
    model.put("fingerprint", plan.fingerprint());
    model.put("precision", precision(setup));
    if (config.task() == JobConfig.Task.GENERATE) {
      ObjectNode generate = all.putObject(GenerateSection.NAME);
      for (EffectiveSetting setting : plan.settings()) {
        generate.put(setting.key(), setting.value());
      }
      generate.put("token-ids", config.generate().tokenIds());
      generate.put("logprobs", config.generate().logprobs());
    }
    if (config.task() == JobConfig.Task.EMBED) {
      ObjectNode embed = all.putObject(EmbedSection.NAME);
      plan.settings().forEach(setting -> embed.put(setting.key(), setting.value()));
    }
    all.put("sirocco", Versions.sirocco());
    return new Answers(all);
  }

  /** All hosts' is one: preflight has decided where the job leaves it to them. */
  private static String precision(RunSetup setup) {
    PrecisionChoice choice = setup.settings().engine().precision();
    return ConfigSection.kebab(choice == PrecisionChoice.AUTO ? setup.plan().precision() : choice);
  }

  /** 32 hexadecimal digits. */
  String fingerprint() {
    try {
      String sorted = JSON.writeValueAsString(JSON.treeToValue(description, Object.class));
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(sorted.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (JsonProcessingException | NoSuchAlgorithmException e) {
      throw new IllegalStateException("a description of answers has no fingerprint", e);
    }
  }
}
