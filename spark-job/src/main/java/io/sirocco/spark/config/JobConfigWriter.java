package io.sirocco.spark.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.util.Optional;

/** Writes configurations with all defaults filled in; they read back as equal ones. */
public final class JobConfigWriter {
  private static final ObjectMapper YAML =
      new ObjectMapper(
          YAMLFactory.builder()
              .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
              .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
              .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
              .build());

  private JobConfigWriter() {}

  /** A job file that says all of it, defaults too. */
  public static String toYaml(JobConfig config) {
    try {
      return YAML.writeValueAsString(toTree(config));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a configuration does not become YAML", e);
    }
  }

  /** As {@link #toYaml}, as a tree. */
  public static JsonNode toTree(JobConfig config) {
    ObjectNode root = YAML.createObjectNode();
    root.put("task", ConfigSection.kebab(config.task()));
    ObjectNode model = root.putObject("model");
    model.put("path", config.model().path());
    model.put("precision", ConfigSection.kebab(config.model().precision()));
    model.put("kernels", ConfigSection.kebab(config.model().kernels()));
    model.put("weights", ConfigSection.kebab(config.model().weights()));
    model.put("max-tokens", config.model().maxTokens());
    model.put("over-length", ConfigSection.kebab(config.model().overLength()));
    model.put("special-tokens", ConfigSection.kebab(config.model().specialTokens()));
    model.put("require-identical", config.model().requireIdentical());
    adapters(config.model().adapters(), model);
    input(config.input(), root.putObject("input"));
    ObjectNode output = root.putObject("output");
    output.put("path", config.output().path());
    output.put("mode", ConfigSection.kebab(config.output().mode()));
    if (config.output().mode() == OutputMode.RESUME) {
      output.put("rounds", config.output().rounds());
    }
    output.put("prefix", config.output().prefix());
    ObjectNode batch = YAML.createObjectNode().put("max-tokens", config.batch().maxTokens());
    switch (config.task()) {
      case CLASSIFY -> {
        output.put("logits", config.output().logits());
        classify(config.classify(), root.putObject("classify"));
      }
      case GENERATE -> {
        generate(config.generate(), root.putObject(GenerateSection.NAME));
        batch.put("max-sequences", config.batch().maxSequences());
      }
      case SCORE -> score(config.score(), root.putObject("score"));
      case EMBED -> EmbedSection.write(config.embed(), root.putObject(EmbedSection.NAME));
    }
    batch.put("deadline", Durations.text(config.batch().deadline()));
    batch.put("deduplicate", ConfigSection.kebab(config.batch().deduplicate()));
    switch (config.batch().sharedPrefix()) {
      case JobConfig.Batch.AUTO_PREFIX -> batch.put("shared-prefix", "auto");
      case 0 -> batch.put("shared-prefix", "none");
      default -> batch.put("shared-prefix", config.batch().sharedPrefix());
    }
    root.set("batch", batch);
    errors(config.errors(), root.putObject("errors"));
    return root;
  }

  private static void adapters(JobConfig.Adapters adapters, ObjectNode model) {
    put(model, "adapter", adapters.every());
    if (!adapters.named().isEmpty()) {
      model.set("adapters", YAML.valueToTree(adapters.named()));
    }
    put(model, "adapter-column", adapters.column());
  }

  private static void input(JobConfig.Input input, ObjectNode object) {
    if (input.table().isEmpty()) {
      object.set("path", YAML.valueToTree(input.path()));
    }
    put(object, "table", input.table());
    object.put("format", ConfigSection.kebab(input.format()));
    object.set("options", YAML.valueToTree(input.options()));
    put(object, "schema", input.schema());
    put(object, "text-column", input.textColumn());
    put(object, "template", input.template().map(Template::text));
    put(object, "messages-column", input.messagesColumn());
    put(object, "tokens-column", input.tokensColumn());
    put(object, "attention-mask-column", input.attentionMaskColumn());
    if (input.chat()) {
      object.put("chat", true);
    }
    put(object, "system-prompt", input.systemPrompt());
    if (!input.keyColumns().isEmpty()) {
      object.set("key-columns", YAML.valueToTree(input.keyColumns()));
      object.put("duplicate-keys", ConfigSection.kebab(input.duplicateKeys()));
    }
    input.rowsPerTask().ifPresent(rows -> object.put("rows-per-task", rows));
    input.tokensPerTask().ifPresent(tokens -> object.put("tokens-per-task", tokens));
  }

  private static void errors(JobConfig.Errors errors, ObjectNode object) {
    object.put("max-failure-rate", errors.maxFailureRate());
    errors.maxFailures().ifPresent(most -> object.put("max-failures", most));
    object.put("keep", ConfigSection.kebab(errors.keep()));
  }

  private static void classify(JobConfig.Classify classify, ObjectNode object) {
    object.put("threshold", classify.threshold());
    classify.topK().ifPresent(topK -> object.put("top-k", topK));
  }

  private static void generate(JobConfig.Generate generate, ObjectNode object) {
    object.setAll(generate.settings());
    object.put("token-ids", generate.tokenIds());
    object.put("logprobs", generate.logprobs());
    if (generate.kvMemory() == GenerateSection.AUTO) {
      object.put("kv-memory", GenerateSection.AUTO_TEXT);
    } else {
      object.put("kv-memory", generate.kvMemory());
    }
  }

  private static void score(JobConfig.Score score, ObjectNode object) {
    object.set("labels", YAML.valueToTree(score.labels()));
    put(object, "labels-column", score.labelsColumn());
    object.put("label-prefix", score.labelPrefix());
    score.topK().ifPresent(topK -> object.put("top-k", topK));
    object.put("logprobs", score.logprobs());
  }

  private static void put(ObjectNode object, String key, Optional<String> value) {
    value.ifPresent(text -> object.put(key, text));
  }
}
