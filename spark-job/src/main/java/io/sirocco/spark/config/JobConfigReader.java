package io.sirocco.spark.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.OverLength;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Task;
import io.sirocco.engine.WeightOptions;
import io.sirocco.spark.store.ModelPath;
import io.sirocco.tokenizer.SpecialTokenText;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads job files: the one place that knows keys and defaults. */
public final class JobConfigReader {
  private static final long MAX_BYTES = 1 << 20;

  /** Of a row or a batch: eight times the longest context of any Mistral. */
  private static final int MAX_TOKENS = 1 << 20;

  private static final int MOST_SEQUENCES = 1 << 16;
  private static final int MOST_ROUNDS = 1000;

  private static final ObjectMapper YAML =
      new ObjectMapper(
              YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private JobConfigReader() {}

  /**
   * The job in {@code file}, with overrides of the form {@code a.b=value} put over it.
   *
   * @throws ConfigException if anything about it is wrong
   */
  public static JobConfig read(Path file, List<String> overrides) {
    JsonNode root = parseFile(file);
    if (!root.isObject()) {
      throw new ConfigException(file + " holds no keys; expected a job in YAML");
    }
    overrides.forEach(override -> apply(override, (ObjectNode) root));
    return config(ConfigSection.top(root));
  }

  private static JobConfig config(ConfigSection top) {
    ConfigSection model = top.section("model");
    ConfigSection input = top.section("input");
    ConfigSection output = top.section("output");
    ConfigSection classify = top.section("classify");
    ConfigSection generate = top.section(GenerateSection.NAME);
    ConfigSection score = top.section("score");
    ConfigSection embed = top.section(EmbedSection.NAME);
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
            GenerateSection.read(generate),
            score(score),
            EmbedSection.read(embed),
            new JobConfig.Batch(
                batch.count("max-tokens", MAX_TOKENS).orElse(EngineOptions.DEFAULT_BATCH_TOKENS),
                batch
                    .count("max-sequences", MOST_SEQUENCES)
                    .orElse(Task.Generate.DEFAULT_SEQUENCES),
                batch.duration("deadline", EngineOptions.DEFAULT_BATCH_DEADLINE),
                batch.choice(
                    "deduplicate", JobConfig.Deduplicate.PARTITION, JobConfig.Deduplicate.class),
                sharedPrefix(batch)),
            errors(errors));
    List.of(top, model, input, output, classify, generate, score, embed, batch, errors)
        .forEach(ConfigSection::requireNoOther);
    // After the unknown keys: a mistyped key shall be called that, not missing.
    JobConfigCheck check = new JobConfigCheck(config);
    check.requireComplete();
    check.requireTask(JobConfig.Task.CLASSIFY, classify.given());
    check.requireTask(JobConfig.Task.CLASSIFY, output.given("logits"));
    check.requireTask(JobConfig.Task.GENERATE, generate.given());
    check.requireTask(JobConfig.Task.GENERATE, batch.given("max-sequences"));
    check.requireTask(JobConfig.Task.SCORE, score.given());
    check.requireTask(JobConfig.Task.EMBED, embed.given());
    return config;
  }

  private static JobConfig.Model model(ConfigSection section) {
    return new JobConfig.Model(
        path(section.dotted("path"), section.text("path").orElse("")),
        section.choice("precision", PrecisionChoice.AUTO, PrecisionChoice.class),
        section.choice("kernels", KernelChoice.AUTO, KernelChoice.class),
        section.choice("weights", WeightOptions.Form.AUTO, WeightOptions.Form.class),
        section.count("max-tokens", MAX_TOKENS).orElse(EngineOptions.DEFAULT_MAX_TOKENS),
        section.choice("over-length", OverLength.ERROR, OverLength.class),
        section.choice("special-tokens", SpecialTokenText.LITERAL, SpecialTokenText.class),
        section.flag("require-identical", false),
        adapters(section));
  }

  private static JobConfig.Adapters adapters(ConfigSection section) {
    Map<String, String> named = new TreeMap<>();
    section
        .entries("adapters")
        .forEach(
            (name, folder) -> named.put(name, path(section.dotted("adapters." + name), folder)));
    return new JobConfig.Adapters(
        section.text("adapter").map(folder -> path(section.dotted("adapter"), folder)),
        named,
        section.text("adapter-column"));
  }

  /** A path of this machine's file system, which may be written as a file: URI, or another URI. */
  private static String path(String key, String path) {
    try {
      if (ModelPath.isFileUri(path)) {
        URI uri = URI.create(path);
        return uri.getPath() == null ? uri.getSchemeSpecificPart() : Path.of(uri).toString();
      }
      return ModelPath.isRemote(path) ? new org.apache.hadoop.fs.Path(path).toString() : path;
    } catch (IllegalArgumentException e) {
      throw new ConfigException(key, path, "a folder, as a path or URI: " + e.getMessage());
    }
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
        section.text("messages-column"),
        section.text("tokens-column"),
        section.text("attention-mask-column"),
        section.flag("chat", false),
        section.text("system-prompt"),
        section.textsOrNone("key-columns"),
        section.choice(
            "duplicate-keys", JobConfig.DuplicateKeys.ERROR, JobConfig.DuplicateKeys.class),
        section.count("rows-per-task", Integer.MAX_VALUE),
        section.count("tokens-per-task", Integer.MAX_VALUE));
  }

  private static JobConfig.Score score(ConfigSection section) {
    return new JobConfig.Score(
        section.textsOrNone("labels"),
        section.text("labels-column"),
        section.text("label-prefix", ""),
        section.count("top-k", Integer.MAX_VALUE),
        section.flag("logprobs", false));
  }

  private static int sharedPrefix(ConfigSection section) {
    return section
        .value("shared-prefix")
        .filter(JsonNode::isTextual)
        .map(
            word ->
                section.choice("shared-prefix", SharedPrefix.AUTO, SharedPrefix.class)
                        == SharedPrefix.AUTO
                    ? JobConfig.Batch.AUTO_PREFIX
                    : 0)
        .or(() -> section.count("shared-prefix", MAX_TOKENS))
        .orElse(JobConfig.Batch.AUTO_PREFIX);
  }

  /** Words in the place of a number of tokens. */
  private enum SharedPrefix {
    AUTO,
    NONE
  }

  private static JobConfig.Errors errors(ConfigSection section) {
    return new JobConfig.Errors(
        section.share("max-failure-rate", 1),
        section.number("max-failures"),
        section.choice("keep", JobConfig.Keep.COLUMN, JobConfig.Keep.class));
  }

  private static JobConfig.Output output(ConfigSection section) {
    return new JobConfig.Output(
        section.text("path").orElse(""),
        section.choice("mode", OutputMode.ERROR, OutputMode.class),
        section.text("prefix", ""),
        section.flag("logits", false),
        section.count("rounds", MOST_ROUNDS).orElse(1));
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
