package io.sirocco.spark.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.arrow.ClassifyOptions;
import io.sirocco.arrow.EmbedOptions;
import io.sirocco.arrow.GenerateOptions;
import io.sirocco.arrow.ResultOptions;
import io.sirocco.arrow.ScoreOptions;
import io.sirocco.engine.AdapterOptions;
import io.sirocco.engine.Beginning;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.EnginePlan;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.OverLength;
import io.sirocco.engine.PoolingChoice;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.Prompts;
import io.sirocco.engine.Reuse;
import io.sirocco.engine.Toggle;
import io.sirocco.engine.WeightOptions;
import io.sirocco.sampling.EffectiveSetting;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.spark.exec.ExecutorEngine;
import io.sirocco.spark.exec.PlannedModel;
import io.sirocco.spark.exec.RowSettings;
import io.sirocco.spark.store.ModelSource;
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
record JobConfig(
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
  enum Task {
    CLASSIFY,
    GENERATE,
    SCORE,
    EMBED
  }

  /**
   * @param path a Hugging Face folder: a path of this machine, or the URI of one elsewhere
   * @param weights the form in which weights are kept
   * @param maxTokens longest row, special tokens included
   * @param specialTokens how a special token's text inside a row is read
   * @param requireIdentical whether hosts must not differ in what can change answers
   * @param adapters LoRA adapters that rows have
   */
  record Model(
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
   * @param every folder of the adapter of all rows: a path of this machine, or the URI of one
   *     elsewhere
   * @param named folders of adapters by the names in {@code column}
   * @param column of the input: the name of the row's adapter; null or empty for none
   */
  record Adapters(Optional<String> every, Map<String, String> named, Optional<String> column) {
    static final Adapters NONE = new Adapters(Optional.empty(), Map.of(), Optional.empty());

    Adapters {
      named = Collections.unmodifiableMap(new TreeMap<>(named));
    }

    /** For the engine. */
    AdapterOptions options() {
      return every.map(AdapterOptions::ofEveryRow).orElseGet(() -> AdapterOptions.byRow(named));
    }
  }

  /**
   * @param path files, folders or globs; empty if a table is read
   * @param schema in Spark's DDL; without it files tell, or are read through to find it
   * @param textColumn this, a template, a messages column, or a tokens column: exactly one is there
   * @param chat whether text or template is the message of a conversation
   * @param rowsPerTask of average length; this, or tokensPerTask, or neither: the job chooses
   */
  record Input(
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
  enum DuplicateKeys {
    /** The job is refused where it depends on keys. */
    ERROR,
    /** The second and further ones get a number. */
    NUMBER
  }

  /**
   * @param prefix before the name of every result column
   * @param logits whether they are written, too
   * @param rounds Spark jobs that a resumable run is cut into
   */
  record Output(String path, OutputMode mode, String prefix, boolean logits, int rounds) {}

  /**
   * @param topK labels kept in probabilities; all if empty
   */
  record Classify(double threshold, Optional<Integer> topK) {}

  /**
   * @param settings those given, by the job's key
   * @param kvMemory bytes, or {@link GenerateSection#AUTO}
   * @param tokenIds whether they are written, too
   * @param logprobs whether they are written, too
   */
  record Generate(
      Map<String, JsonNode> settings, long kvMemory, boolean tokenIds, boolean logprobs) {
    Generate {
      settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }
  }

  /**
   * @param labels for rows that bring none of their own
   * @param topK labels kept in probabilities; all if empty
   * @param logprobs whether they are written, too
   */
  record Score(
      List<String> labels,
      Optional<String> labelsColumn,
      String labelPrefix,
      Optional<Integer> topK,
      boolean logprobs) {}

  /**
   * @param dimensions elements that are kept; all if empty
   * @param instruction in e5's form, before each text; this, or promptName, or neither
   * @param promptName of the model's folder, or {@link EmbedSection#NO_PROMPT}
   * @param appendEos whether texts end with the end-of-sequence token
   */
  record Embed(
      PoolingChoice pooling,
      Toggle normalize,
      Optional<Integer> dimensions,
      Optional<String> instruction,
      Optional<String> promptName,
      Toggle appendEos) {}

  /**
   * @param maxTokens of one forward pass
   * @param maxSequences texts that are written at the same time
   * @param deadline of one forward pass; zero for none
   * @param deduplicate which equal rows are computed once
   * @param sharedPrefix tokens that rows begin with, and that are computed once; or {@link
   *     #AUTO_PREFIX}, or 0 for none
   */
  record Batch(
      int maxTokens,
      int maxSequences,
      Duration deadline,
      Deduplicate deduplicate,
      int sharedPrefix) {

    /** What the template, the chat template and the system prompt put before the first column. */
    static final int AUTO_PREFIX = -1;
  }

  /** Which rows that are equal in all that their answers depend on are computed once. */
  enum Deduplicate {
    /** None. */
    NONE,
    /** Those that come to the same executor, as far as it keeps answers. */
    PARTITION,
    /** All of the job; it costs a shuffle. */
    JOB
  }

  /**
   * @param maxFailureRate share of failed rows above which the job exits with 4
   * @param maxFailures number of them, likewise
   */
  record Errors(double maxFailureRate, OptionalLong maxFailures, Keep keep) {

    /** The most rows that may fail of so many. */
    long allowed(long rows) {
      return Math.min((long) Math.floor(maxFailureRate * rows), maxFailures.orElse(Long.MAX_VALUE));
    }
  }

  /** Where failed rows go. */
  enum Keep {
    /** Among the others; a column tells. */
    COLUMN,
    /** To a folder of their own. */
    SEPARATE
  }

  /** For the engine of an executor, which takes all of its cores. */
  EngineOptions engineOptions() {
    return EngineOptions.of(model.path(), engineTask())
        .withPrecision(model.precision())
        .withKernels(model.kernels())
        .withThreads(ExecutorEngine.ALL_CORES)
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

  /** For the executors, once the model is known. */
  RowSettings rowSettings(ModelSource source, EnginePlan plan) {
    return new RowSettings(
        engineOptions(), resultOptions(plan), PlannedModel.of(source, plan), output.prefix());
  }

  private ResultOptions resultOptions(EnginePlan plan) {
    return switch (task) {
      case CLASSIFY ->
          new ClassifyOptions(classify.threshold(), classify.topK().orElse(0), output.logits());
      case GENERATE -> new GenerateOptions(samples(plan), generate.tokenIds(), generate.logprobs());
      case SCORE -> new ScoreOptions(score.topK().orElse(0), score.logprobs());
      case EMBED -> new EmbedOptions();
    };
  }

  /** Texts of each row; the model may have a say in it. */
  static int samples(EnginePlan plan) {
    return setting(plan, GenerationKey.N)
        .or(() -> setting(plan, GenerationKey.NUM_RETURN_SEQUENCES))
        .map(Integer::parseInt)
        .orElse(1);
  }

  static Optional<String> setting(EnginePlan plan, GenerationKey<?> key) {
    return plan.settings().stream()
        .filter(setting -> setting.key().equals(key.name()))
        .map(EffectiveSetting::value)
        .findFirst();
  }
}
