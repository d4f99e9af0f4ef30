package io.sirocco.engine;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.adapter.LoraAdapter;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.RawRelease;
import io.sirocco.checkpoint.RawTokenizers;
import io.sirocco.checkpoint.SentenceFiles;
import io.sirocco.checkpoint.WeightFiles;
import io.sirocco.engine.Inspection.Kind;
import io.sirocco.kernel.Precision;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.MistralWeights;
import io.sirocco.sampling.GenerationOptions;
import io.sirocco.template.ChatTemplate;
import io.sirocco.tokenizer.SpecialTokenText;
import io.sirocco.tokenizer.Tokenizer;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/** Looks at a folder step by step: a step that fails is a problem, and the next ones go on. */
final class Inspector {
  private static final String CONFIG = "config.json";
  private static final String SCORE = "score.weight";
  private static final String LM_HEAD = "lm_head.weight";
  private static final String BARE = "MistralModel";
  private static final String EMBED = "embed";

  /** Of a model without a head. */
  private static final List<String> BARE_TASKS = List.of(EMBED);

  /** Of what a job that generates reads; without it, what config.json says counts. */
  private static final String GENERATION_CONFIG = "generation_config.json";

  /** Somewhere on the executors: plans look at no such file. */
  private static final String PREPARED = "prepared";

  private static final int MOST_PROBLEMS = 100;

  private final Path path;
  private final List<String> problems = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final Map<String, Long> weights = new TreeMap<>();
  private final Map<Precision, MemoryPlan> memory = new EnumMap<>(Precision.class);
  private Optional<Checkpoint> opened = Optional.empty();
  private Optional<MistralConfig> config = Optional.empty();
  private Optional<String> archived = Optional.empty();
  private boolean classifier;
  private List<String> tasks = List.of();
  private int weightFiles;

  Inspector(Path path) {
    this.path = path;
  }

  Inspection inspect() {
    Kind kind = kind();
    switch (kind) {
      case HUGGING_FACE, RAW_RELEASE -> attempt(this::model);
      case RAW_RELEASE_TO_CONVERT -> attempt(this::release);
      case ADAPTER -> attempt(this::adapter);
      case TOKENIZER -> problems.add(path + ": holds a tokenizer, but no model");
      case UNKNOWN ->
          problems.add(
              path
                  + (Files.exists(path) ? ": holds nothing that is known" : ": does not exist")
                  + "; expected a Hugging Face folder, or a raw release of Mistral's");
    }
    Optional<String> tokenizer = tokenizer().or(() -> archived);
    boolean template = false;
    if (kind != Kind.UNKNOWN && kind != Kind.ADAPTER && Files.isDirectory(path)) {
      attempt(this::withTokenizer);
      template = attempt(() -> ChatTemplate.open(path).isPresent(), false);
    }
    return new Inspection(
        path,
        kind,
        config,
        classifier,
        tasks,
        weights,
        weightFiles,
        tokenizer,
        template,
        memory,
        List.copyOf(problems),
        List.copyOf(notes));
  }

  private Kind kind() {
    if (Files.isRegularFile(path)) {
      return Kind.RAW_RELEASE_TO_CONVERT;
    }
    boolean converted = WeightFiles.places().stream().anyMatch(this::has);
    if (!converted && attempt(() -> RawRelease.isThere(path), false)) {
      return attempt(() -> RawRelease.isOpenedAsItIs(path), false)
          ? Kind.RAW_RELEASE
          : Kind.RAW_RELEASE_TO_CONVERT;
    }
    if (has(WeightFiles.ADAPTER_CONFIG)) {
      return Kind.ADAPTER;
    }
    if (converted || has(CONFIG)) {
      return Kind.HUGGING_FACE;
    }
    return tokenizer().isPresent() ? Kind.TOKENIZER : Kind.UNKNOWN;
  }

  private Optional<String> tokenizer() {
    return has(RawTokenizers.CONVERTED)
        ? Optional.of(RawTokenizers.CONVERTED)
        : RawTokenizers.among(this::has);
  }

  /** That of an archive, which is not looked into: a conversion does so before all else. */
  private void tokenizerWithin(RawRelease release) {
    List<String> names = release.companions();
    archived =
        names.contains(RawTokenizers.CONVERTED)
            ? Optional.of(RawTokenizers.CONVERTED)
            : RawTokenizers.among(names::contains);
  }

  private boolean has(String name) {
    return Files.isRegularFile(path.resolve(name));
  }

  /** Whether it fits a model is seen when it is used with one. */
  private void adapter() {
    LoraAdapter adapter = LoraAdapter.open(path);
    weights.putAll(adapter.bytesByType());
    weightFiles = 1;
    classifier = adapter.classifies();
    notes.add(adapter.description());
    adapter.taskType().ifPresent(type -> notes.add("trained for " + type));
    notes.add("model.adapter, beside model.path of the model it was trained on, uses it");
  }

  private void withTokenizer() {
    try (Tokenizer tokenizer = Tokenizer.open(path, SpecialTokenText.LITERAL)) {
      opened.ifPresent(checkpoint -> attempt(() -> embedding(checkpoint, tokenizer)));
    }
  }

  /** What a job that embeds and says nothing else is refused for, where models are made for it. */
  private void embedding(Checkpoint checkpoint, Tokenizer tokenizer) {
    boolean made = SentenceFiles.all().stream().anyMatch(this::has) || tasks.equals(BARE_TASKS);
    if (made && config.isPresent()) {
      EngineOptions options = options(PrecisionChoice.AUTO, Task.Embed.ofFolder());
      EmbedSettings.of(options, checkpoint, config.get(), tokenizer);
    }
  }

  private void model() {
    Checkpoint checkpoint = Checkpoint.open(path);
    opened = Optional.of(checkpoint);
    weights.putAll(checkpoint.bytesByType());
    weightFiles = checkpoint.weightFiles();
    classifier = checkpoint.names().contains(SCORE);
    MistralConfig read =
        MistralConfig.parse(checkpoint.config(), checkpoint.configFile().toString());
    config = Optional.of(read);
    tasks = tasks(checkpoint, read);
    int before = problems.size();
    problems.addAll(MistralWeights.problems(checkpoint, read, MOST_PROBLEMS));
    if (checkpoint.isRaw()) {
      notes.addAll(RawRelease.open(path).notes());
    }
    attempt(
        () ->
            checkpoint
                .json(GENERATION_CONFIG)
                .ifPresent(
                    json ->
                        GenerationOptions.fromJson(
                            json, path.resolve(GENERATION_CONFIG).toString())));
    ModelFiles.ownCode(checkpoint).ifPresent(notes::add);
    if (problems.size() == before) {
      for (Precision precision : Precision.values()) {
        attempt(() -> memory.put(precision, memory(checkpoint, precision)));
      }
      // Heads have been asked for by now, if they are there.
      List<String> unused = checkpoint.ignored();
      if (!unused.isEmpty()) {
        notes.add("tensors that are not used: " + RawRelease.some(unused));
      }
    }
  }

  /** By the heads that are there; embedding needs none. */
  private List<String> tasks(Checkpoint checkpoint, MistralConfig read) {
    if (classifier) {
      return List.of("classify", EMBED);
    }
    JsonNode architecture = checkpoint.config().path("architectures").path(0);
    // Where a model is to have a head, one that is missing is a problem.
    boolean bare = architecture.isMissingNode() || architecture.asText().equals(BARE);
    boolean writes = read.tieWordEmbeddings() || checkpoint.names().contains(LM_HEAD) || !bare;
    return writes ? List.of("generate", "score", EMBED) : BARE_TASKS;
  }

  /** The one that needs most. */
  private Task task() {
    if (tasks.equals(BARE_TASKS)) {
      return Task.Embed.ofFolder();
    }
    return classifier
        ? new Task.Classify()
        : new Task.Generate(
            GenerationOptions.none(), Prompts.plain(), 0, Task.Generate.DEFAULT_SEQUENCES, false);
  }

  private MemoryPlan memory(Checkpoint checkpoint, Precision precision) {
    PrecisionChoice choice = PrecisionChoice.of(precision);
    EngineOptions options = options(choice, task());
    KernelSetup setup = KernelSetup.of(KernelChoice.AUTO, choice);
    setup
        .fallback()
        .ifPresent(
            why ->
                notes.add(
                    "with precision "
                        + precision.name().toLowerCase(Locale.ROOT)
                        + " kernels would be plain Java: "
                        + why));
    return Planner.memory(options, ModelFiles.of(checkpoint, options), setup);
  }

  private EngineOptions options(PrecisionChoice choice, Task task) {
    return EngineOptions.of(path.toString(), task)
        .withPrecision(choice)
        .withWeights(WeightOptions.DEFAULT.withFolder(PREPARED));
  }

  /** Mistral's own form, as far as a conversion looks at it before it begins. */
  private void release() {
    RawRelease release = RawRelease.open(path);
    tokenizerWithin(release);
    release
        .tensors()
        .forEach(tensor -> weights.merge(tensor.type().name(), tensor.bytes(), Long::sum));
    weightFiles = release.weightFiles();
    notes.addAll(release.notes());
    notes.add("convert --from " + path + " --to HF_FOLDER makes a folder that can be opened");
    config =
        Optional.of(
            MistralConfig.parse(
                release.config(release.type(), OptionalInt.empty()), path.toString()));
  }

  private void attempt(Runnable step) {
    attempt(
        () -> {
          step.run();
          return true;
        },
        false);
  }

  private boolean attempt(BooleanSupplier step, boolean otherwise) {
    try {
      return step.getAsBoolean();
    } catch (ModelException | IllegalStateException | UncheckedIOException e) {
      if (!problems.contains(e.getMessage())) {
        problems.add(e.getMessage());
      }
      return otherwise;
    }
  }
}
