package io.sirocco.spark.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.OverLength;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.tokenizer.SpecialTokenText;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads job files: the one place that knows keys and defaults. */
final class JobConfigReader {
  private static final long MAX_BYTES = 1 << 20;

  /** Of a row or a batch: eight times the longest context of any Mistral. */
  private static final int MAX_TOKENS = 1 << 20;

  private static final List<String> LATER_TASKS = List.of("generate", "score", "embed");
  private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:.*");

  private static final ObjectMapper YAML =
      new ObjectMapper(
              YAMLFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private JobConfigReader() {}

  /**
   * The job in {@code file}, with overrides of the form {@code a.b=value} put over it.
   *
   * @throws ConfigException if anything about it is wrong
   */
  static JobConfig read(Path file, List<String> overrides) {
    JsonNode root = parseFile(file);
    if (!root.isObject()) {
      throw new ConfigException(file + " holds no keys; expected a job in YAML");
    }
    overrides.forEach(override -> apply(override, (ObjectNode) root));
    return config(ConfigSection.top(root));
  }

  /** The configuration with all defaults filled in; reads back as an equal one. */
  static String toYaml(JobConfig config) {
    try {
      return YAML.writeValueAsString(toTree(config));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a configuration does not become YAML", e);
    }
  }

  /** As {@link #toYaml}, as a tree. */
  static JsonNode toTree(JobConfig config) {
    ObjectNode root = YAML.createObjectNode();
    root.put("task", ConfigSection.kebab(config.task()));
    ObjectNode model = root.putObject("model");
    model.put("path", config.model().path());
    model.put("precision", ConfigSection.kebab(config.model().precision()));
    model.put("kernels", ConfigSection.kebab(config.model().kernels()));
    model.put("max-tokens", config.model().maxTokens());
    model.put("over-length", ConfigSection.kebab(config.model().overLength()));
    model.put("special-tokens", ConfigSection.kebab(config.model().specialTokens()));
    ObjectNode input = root.putObject("input");
    if (config.input().table().isEmpty()) {
      input.set("path", YAML.valueToTree(config.input().path()));
    }
    put(input, "table", config.input().table());
    input.put("format", ConfigSection.kebab(config.input().format()));
    input.set("options", YAML.valueToTree(config.input().options()));
    put(input, "schema", config.input().schema());
    put(input, "text-column", config.input().textColumn());
    put(input, "template", config.input().template().map(Template::text));
    put(input, "tokens-column", config.input().tokensColumn());
    put(input, "attention-mask-column", config.input().attentionMaskColumn());
    if (!config.input().keyColumns().isEmpty()) {
      input.set("key-columns", YAML.valueToTree(config.input().keyColumns()));
    }
    ObjectNode output = root.putObject("output");
    output.put("path", config.output().path());
    output.put("mode", ConfigSection.kebab(config.output().mode()));
    output.put("prefix", config.output().prefix());
    output.put("logits", config.output().logits());
    ObjectNode classify = root.putObject("classify");
    classify.put("threshold", config.classify().threshold());
    config.classify().topK().ifPresent(topK -> classify.put("top-k", topK));
    root.putObject("batch").put("max-tokens", config.batch().maxTokens());
    root.putObject("errors").put("max-failure-rate", config.errors().maxFailureRate());
    return root;
  }

  private static void put(ObjectNode object, String key, Optional<String> value) {
    value.ifPresent(text -> object.put(key, text));
  }

  private static JobConfig config(ConfigSection top) {
    String task = top.text("task", ConfigSection.kebab(JobConfig.Task.CLASSIFY));
    if (LATER_TASKS.contains(task)) {
      throw new ConfigException("task", task, "classify: this version knows no other");
    }
    ConfigSection model = top.section("model");
    ConfigSection input = top.section("input");
    ConfigSection output = top.section("output");
    ConfigSection classify = top.section("classify");
    ConfigSection batch = top.section("batch");
    ConfigSection errors = top.section("errors");
    JobConfig config =
        new JobConfig(
            top.choice("task", JobConfig.Task.CLASSIFY, JobConfig.Task.class),
            model(model),
            input(input),
            output(output),
            new JobConfig.Classify(
                classify.share("threshold", 0.5), classify.count("top-k", Integer.MAX_VALUE)),
            new JobConfig.Batch(batch.count("max-tokens", MAX_TOKENS).orElse(2048)),
            new JobConfig.Errors(errors.share("max-failure-rate", 1)));
    List.of(top, model, input, output, classify, batch, errors)
        .forEach(ConfigSection::requireNoOther);
    // After the unknown keys: a mistyped key shall be called that, not missing.
    requireComplete(config);
    return config;
  }

  private static JobConfig.Model model(ConfigSection section) {
    return new JobConfig.Model(
        localPath(section),
        section.choice("precision", PrecisionChoice.AUTO, PrecisionChoice.class),
        section.choice("kernels", KernelChoice.AUTO, KernelChoice.class),
        section.count("max-tokens", MAX_TOKENS).orElse(4096),
        section.choice("over-length", OverLength.ERROR, OverLength.class),
        section.choice("special-tokens", SpecialTokenText.LITERAL, SpecialTokenText.class));
  }

  /** A path of this machine's file system, which may be written as a file: URI. */
  private static String localPath(ConfigSection section) {
    String path = section.text("path").orElse("");
    if (path.startsWith("file:")) {
      try {
        URI uri = URI.create(path);
        return uri.getPath() == null ? uri.getSchemeSpecificPart() : Path.of(uri).toString();
      } catch (IllegalArgumentException e) {
        throw new ConfigException(section.dotted("path"), path, "a folder: " + e.getMessage());
      }
    }
    if (SCHEME.matcher(path).matches()) {
      throw new ConfigException(
          section.dotted("path"), path, "a folder on every host; this version reads file: only");
    }
    return path;
  }

  private static JobConfig.Input input(ConfigSection section) {
    return new JobConfig.Input(
        section.texts("path"),
        section.text("table"),
        section.choice("format", InputFormat.JSON, InputFormat.class),
        section.entries("options"),
        section.text("schema"),
        section.text("text-column"),
        section.text("template").map(Template::parse),
        section.text("tokens-column"),
        section.text("attention-mask-column"),
        section.textsOrNone("key-columns"));
  }

  private static void requireComplete(JobConfig config) {
    if (config.model().path().isEmpty()) {
      throw new ConfigException("model.path is missing");
    }
    if (config.output().path().isEmpty()) {
      throw new ConfigException("output.path is missing");
    }
    JobConfig.Input input = config.input();
    if (input.path().isEmpty() == input.table().isEmpty()) {
      throw new ConfigException("input needs exactly one of path and table");
    }
    long sources =
        Stream.of(input.textColumn(), input.template(), input.tokensColumn())
            .filter(Optional::isPresent)
            .count();
    if (sources != 1) {
      throw new ConfigException(
          "input needs exactly one of text-column, template and tokens-column, found " + sources);
    }
    if (input.attentionMaskColumn().isPresent() && input.tokensColumn().isEmpty()) {
      throw new ConfigException("input.attention-mask-column goes with tokens-column only");
    }
  }

  private static JobConfig.Output output(ConfigSection section) {
    return new JobConfig.Output(
        section.text("path").orElse(""),
        section.choice("mode", OutputMode.ERROR, OutputMode.class),
        section.text("prefix", ""),
        section.flag("logits", false));
  }

  private static JsonNode parseFile(Path file) {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new ConfigException(
            file + " is larger than a job file can be, " + MAX_BYTES + " bytes");
      }
      return YAML.readTree(Files.readString(file));
    } catch (JsonProcessingException e) {
      throw new ConfigException(file + " is not YAML: " + e.getMessage());
    } catch (IOException e) {
      throw new ConfigException("the job file " + file + " cannot be read: " + e);
    }
  }

  private static void apply(String override, ObjectNode root) {
    int equals = override.indexOf('=');
    if (equals < 1) {
      throw new ConfigException("--set " + override, "", "KEY=VALUE, such as output.mode=append");
    }
    String[] keys = override.substring(0, equals).strip().split("\\.", -1);
    JsonNode value;
    try {
      value = YAML.readTree(override.substring(equals + 1));
    } catch (JsonProcessingException e) {
      throw new ConfigException(
          "--set "
              + override
              + ": the value is not YAML, does it need quotes? "
              + e.getOriginalMessage());
    }
    requireAsWritten(override, value);
    ObjectNode object = root;
    for (int i = 0; i < keys.length - 1; i++) {
      JsonNode child = object.path(keys[i]);
      object = child.isObject() ? (ObjectNode) child : object.putObject(keys[i]);
    }
    object.set(
        keys[keys.length - 1], value.isMissingNode() ? YAML.getNodeFactory().textNode("") : value);
  }

  /** A comment, a block or an alias in an unquoted value would change it without a word. */
  private static void requireAsWritten(String override, JsonNode value) {
    String written = override.substring(override.indexOf('=') + 1).strip();
    boolean quoted = written.startsWith("'") || written.startsWith("\"");
    String read = value.isMissingNode() ? "" : value.asText();
    if ((value.isTextual() || value.isMissingNode()) && !quoted && !written.equals(read)) {
      throw new ConfigException(
          "--set " + override + ": YAML reads the value as '" + read + "'; put it in quotes");
    }
  }
}
