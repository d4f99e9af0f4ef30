package io.sirocco.spark.config;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.engine.AdapterOptions;
import io.sirocco.engine.Beginning;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.OverLength;
import io.sirocco.engine.PoolingChoice;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Prompts;
import io.sirocco.engine.Reuse;
import io.sirocco.engine.Toggle;
import io.sirocco.engine.WeightOptions;
import io.sirocco.tokenizer.SpecialTokenText;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * A job as its YAML file describes it, checked; {@link JobConfigReader} knows keys and defaults.
 * What belongs to another task has its defaults.
 */
public record JobConfig(
    Task task,
    Model model,
    Input input,
    Output output,
    Classify classify,
    Generate generate,
    Score score,
    Embed embed,
    Batch batch,
    Errors errors) {

  /** What is done with each row. */
  public enum Task {
    CLASSIFY,
    GENERATE,
    SCORE,
    EMBED
  }

  /**
   * The model, and how it is opened.
   *
   * @param path a Hugging Face folder: a path of this machine, or the URI of one elsewhere
   * @param weights the form in which weights are kept
   * @param maxTokens longest row, special tokens included
   * @param specialTokens how a special token's text inside a row is read
   * @param requireIdentical whether hosts must not differ in what can change answers
   * @param adapters LoRA adapters that rows have
   */
  public record Model(
      String path,
      PrecisionChoice precision,
      KernelChoice kernels,
      WeightOptions.Form weights,
      int maxTokens,
      OverLength overLength,
      SpecialTokenText specialTokens,
      boolean requireIdentical,
      Adapters adapters) {}

  /**
   * The LoRA adapters of the rows: one for all, or one by name for each, or none.
   *
   * @param every folder of the adapter of all rows: a path of this machine, or the URI of one
   *     elsewhere
   * @param named folders of adapters by the names in {@code column}
   * @param column of the input: the name of the row's adapter; null or empty for none
   */
  public record Adapters(
      Optional<String> every, Map<String, String> named, Optional<String> column) {
    static final Adapters NONE = new Adapters(Optional.empty(), Map.of(), Optional.empty());

    public Adapters {
      named = Collections.unmodifiableMap(new TreeMap<>(named));
    }

    /** For the engine. */
    public AdapterOptions options() {
      return every.map(AdapterOptions::ofEveryRow).orElseGet(() -> AdapterOptions.byRow(named));
    }
  }

  /**
   * Where rows come from, and what of them the model reads.
   *
   * @param path files, folders or globs; empty if a table is read
   * @param schema in Spark's DDL; without it files tell, or are read through to find it
   * @param textColumn this, a template, a messages column, or a tokens column: exactly one is there
   * @param chat whether text or template is the message of a conversation
   * @param rowsPerTask of average length; this, or tokensPerTask, or neither: the job chooses
   */
  public record Input(
      List<String> path,
      Optional<String> table,
      InputFormat format,
      Map<String, String> options,
      Optional<String> schema,
      Optional<String> textColumn,
      Optional<Template> template,
      Optional<String> messagesColumn,
      Optional<String> tokensColumn,
      Optional<String> attentionMaskColumn,
      boolean chat,
      Optional<String> systemPrompt,
      List<String> keyColumns,
      DuplicateKeys duplicateKeys,
      Optional<Integer> rowsPerTask,
      Optional<Integer> tokensPerTask) {}

  /** What becomes of rows that have the same key. */
  public enum DuplicateKeys {
    /** The job is refused where it depends on keys. */
    ERROR,
    /** The second and further ones get a number. */
    NUMBER
  }

  /**
   * Where results go, and which of them.
   *
   * @param prefix before the name of every result column
   * @param logits whether they are written, too
   * @param rounds Spark jobs that a resumable run is cut into
   */
  public record Output(String path, OutputMode mode, String prefix, boolean logits, int rounds) {}

  /**
   * What {@link Task#CLASSIFY} writes.
   *
   * @param topK labels kept in probabilities; all if empty
   */
  public record Classify(double threshold, Optional<Integer> topK) {}

  /**
   * How {@link Task#GENERATE} writes texts.
   *
   * @param settings those given, by the job's key
   * @param kvMemory bytes, or {@link GenerateSection#AUTO}
   * @param tokenIds whether they are written, too
   * @param logprobs whether they are written, too
   */
  public record Generate(
      Map<String, JsonNode> settings, long kvMemory, boolean tokenIds, boolean logprobs) {
    public Generate {
      settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }
  }

  /**
   * What {@link Task#SCORE} compares.
   *
   * @param labels for rows that bring none of their own
   * @param topK labels kept in probabilities; all if empty
   * @param logprobs whether they are written, too
   */
  public record Score(
      List<String> labels,
      Optional<String> labelsColumn,
      String labelPrefix,
      Optional<Integer> topK,
      boolean logprobs) {}

  /**
   * How {@link Task#EMBED} makes vectors.
   *
   * @param dimensions elements that are kept; all if empty
   * @param instruction in e5's form, before each text; this, or promptName, or neither
   * @param promptName of the model's folder, or {@link EmbedSection#NO_PROMPT}
   * @param appendEos whether texts end with the end-of-sequence token
   */
  public record Embed(
      PoolingChoice pooling,
      Toggle normalize,
      Optional<Integer> dimensions,
      Optional<String> instruction,
      Optional<String> promptName,
      Toggle appendEos) {}

  /**
   * How much is computed at once, and what only once.
   *
   * @param maxTokens of one forward pass
   * @param maxSequences texts that are written at the same time
   * @param deadline of one forward pass; zero for none
   * @param deduplicate which equal rows are computed once
   * @param sharedPrefix tokens that rows begin with, and that are computed once; or {@link
   *     #AUTO_PREFIX}, or 0 for none
   */
  public record Batch(
      int maxTokens,
      int maxSequences,
      Duration deadline,
      Deduplicate deduplicate,
      int sharedPrefix) {

    /** What the template, the chat template and the system prompt put before the first column. */
    public static final int AUTO_PREFIX = -1;
  }

  /** Which rows that are equal in all that their answers depend on are computed once. */
  public enum Deduplicate {
    /** None. */
    NONE,
    /** Those that come to the same executor, as far as it keeps answers. */
    PARTITION,
    /** All of the job; it costs a shuffle. */
    JOB
  }

  /**
   * How many rows may fail, and where they go.
   *
   * @param maxFailureRate share of failed rows above which the job exits with 4
   * @param maxFailures number of them, likewise
   */
  public record Errors(double maxFailureRate, OptionalLong maxFailures, Keep keep) {

    /** The most rows that may fail of so many. */
    public long allowed(long rows) {
      return Math.min((long) Math.floor(maxFailureRate * rows), maxFailures.orElse(Long.MAX_VALUE));
    }
  }

  /** Where failed rows go. */
  public enum Keep {
    /** Among the others; a column tells. */
    COLUMN,
    /** To a folder of their own. */
    SEPARATE
  }

  /** What the engine is opened with; how many threads it has is its host's matter. */
  public EngineOptions engineOptions() {
    return EngineOptions.of(model.path(), engineTask())
        .withPrecision(model.precision())
        .withKernels(model.kernels())
        .withBatchTokens(batch.maxTokens())
        .withMaxTokens(model.maxTokens())
        .withOverLength(model.overLength())
        .withSpecialTokens(model.specialTokens())
        .withBatchDeadline(batch.deadline())
        .withReuse(reuse())
        .withWeights(new WeightOptions(model.weights(), ""))
        .withAdapters(model.adapters().options());
  }

  private Reuse reuse() {
    long answers = batch.deduplicate() == Deduplicate.NONE ? 0 : Reuse.DEFAULT_ANSWER_BYTES;
    return new Reuse(answers, beginning());
  }

  private Beginning beginning() {
    if (batch.sharedPrefix() > 0) {
      return new Beginning.Tokens(batch.sharedPrefix());
    }
    String text = input.template().map(Template::beginning).orElse("");
    // The engine knows what the model's folder puts before texts that are embedded.
    boolean embedsTexts = task == Task.EMBED && input.tokensColumn().isEmpty();
    boolean nothing = text.isEmpty() && prompts().form() == Prompts.Form.PLAIN && !embedsTexts;
    return nothing || batch.sharedPrefix() != Batch.AUTO_PREFIX
        ? new Beginning.Unknown()
        : new Beginning.Text(text);
  }

  private io.sirocco.engine.Task engineTask() {
    return switch (task) {
      case CLASSIFY -> new io.sirocco.engine.Task.Classify();
      case GENERATE ->
          new io.sirocco.engine.Task.Generate(
              GenerateSection.options(generate),
              prompts(),
              generate.kvMemory(),
              batch.maxSequences(),
              generate.logprobs());
      case SCORE ->
          new io.sirocco.engine.Task.Score(score.labels(), score.labelPrefix(), prompts());
      case EMBED ->
          input.tokensColumn().isPresent()
              ? EmbedSection.taskOfTokens(embed)
              : EmbedSection.task(embed);
    };
  }

  private Prompts prompts() {
    return input.chat() || input.messagesColumn().isPresent()
        ? Prompts.chat(input.systemPrompt().orElse(""))
        : Prompts.plain();
  }
}
