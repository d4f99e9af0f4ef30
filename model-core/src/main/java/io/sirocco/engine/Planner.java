package io.sirocco.engine;

import io.sirocco.checkpoint.ByteCount;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.model.Decoder;
import io.sirocco.model.KvCache;
import io.sirocco.model.Labels;
import io.sirocco.model.MistralConfig;
import io.sirocco.sampling.GenerationSettings;
import io.sirocco.sampling.InvalidSettingException;
import io.sirocco.tokenizer.convert.RawTokenizer;
import io.sirocco.tokenizer.convert.TokenizerFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Decides, before the first batch, what an engine runs and whether its memory suffices. */
final class Planner {
  /** Arrow batches of the callers, and what oneDNN takes for itself. */
  private static final long BESIDE_WORKSPACE = 512L << 20;

  /** Beyond any row; keeps sums of tokens within an int. */
  private static final long LONGEST_ROW = 1L << 30;

  private Planner() {}

  static EnginePlan plan(
      EngineOptions options,
      ModelFiles files,
      KernelSetup setup,
      Preparation preparation,
      Reading reading) {
    PrefixChoice prefix = reading.prefix();
    List<String> notes = new ArrayList<>();
    setup.fallback().ifPresent(why -> notes.add("kernels are plain Java, which is slow: " + why));
    if (options.precision() == PrecisionChoice.AUTO) {
      notes.add("precision " + name(setup.precision()) + ", because " + reason(options, setup));
    }
    if (!files.checkpoint().ignored().isEmpty()) {
      notes.add("tensors of the checkpoint that are not used: " + files.checkpoint().ignored());
    }
    ModelFiles.ownCode(files.checkpoint()).ifPresent(notes::add);
    Optional<GenerationSettings> settings = settings(options, files);
    TokenizerFiles.open(files.checkpoint().folder())
        .ifPresent(raw -> notes.addAll(describe(options, files, raw)));
    settings.ifPresent(mine -> notes.addAll(mine.withoutEffect()));
    reading.embedding().ifPresent(mine -> notes.addAll(mine.notes()));
    describe(files.adapters(), notes);
    long prefixBytes = times(prefix.bytes(setup.precision()), files.variants());
    if (prefix.mostTokens() > 0) {
      String most = prefix.known().length() == 0 ? "up to " : "";
      notes.add(
          "rows begin with %s%d tokens in common, which are computed once: up to %s of keys and"
                  .formatted(most, prefix.mostTokens(), ByteCount.shown(prefixBytes))
              + " values");
    }
    MemoryPlan memory = memory(options, files, setup, preparation, settings, prefixBytes);
    if (files.checkpoint().copiedBytes() > 0) {
      notes.add(
          "query and key weights of this raw release are kept in this process's own memory, as their"
              + " rows change places; convert would make a folder that shares all of them");
    }
    preparation.noRoom().ifPresent(notes::add);
    if (preparation.kind() != Preparation.Kind.NONE) {
      notes.add(describe(preparation, files));
    } else if (memory.weightsCopied() - files.adapters().preparedBytes()
        > files.checkpoint().copiedBytes()) {
      notes.add(
          "weights are converted to bfloat16 in this process's own memory; a bfloat16 checkpoint, or"
              + " precision float32, would share them");
    }
    requireMemory(memory, files.adapters(), notes);
    settings.ifPresent(
        mine -> {
          long row = kvBytesOfLongestRow(options, files, setup.precision(), mine);
          if (row > memory.kvCache()) {
            notes.add(
                "keys and values of a row of full length take %s, generate.kv-memory is %s: rows too"
                        .formatted(ByteCount.shown(row), ByteCount.shown(memory.kvCache()))
                    + " long for it fail with kv-memory");
          }
        });
    return new EnginePlan(
        describe(options, files, reading),
        files.adapters().fingerprint(files.checkpoint().fingerprint()),
        files.adapters().fingerprints(),
        labels(options, files),
        reading
            .embedding()
            .map(EmbedSettings::effective)
            .or(() -> settings.map(GenerationSettings::effective))
            .orElse(List.of()),
        setup.precision(),
        preparation.kind() == Preparation.Kind.NONE
            ? WeightOptions.Form.STORED
            : WeightOptions.Form.PACKED,
        setup.oneDnn() ? OneDnnKernels.describe(options.threads()) : "plain Java",
        List.copyOf(notes),
        memory);
  }

  /**
   * How rows are read.
   *
   * @param prefix what they begin with in common
   * @param embedding what a task that embeds runs with; empty for others
   */
  record Reading(PrefixChoice prefix, Optional<EmbedSettings> embedding) {}

  private static void describe(AdapterFiles adapters, List<String> notes) {
    String only = adapters.options().everyRow();
    adapters
        .adapters()
        .forEach(
            (name, adapter) ->
                notes.add(
                    "adapter%s: %s, %s"
                        .formatted(
                            name.equals(only) ? "" : " " + name,
                            adapter.description(),
                            ByteCount.shown(adapter.bytes()))));
  }

  /** What is made of a raw release's files; nothing of it was chosen by the job. */
  private static List<String> describe(EngineOptions options, ModelFiles files, RawTokenizer raw) {
    List<String> notes = new ArrayList<>();
    notes.add("the tokenizer is made of " + Path.of(raw.where()).getFileName());
    boolean chats = options.task().prompts().form() == Prompts.Form.CHAT;
    if (chats && !TokenizerFiles.hasChatTemplate(files.checkpoint().folder())) {
      notes.add(raw.chatTemplateNote());
    }
    return notes;
  }

  /** Limit of the engine's allocator: the plan, with room for callers and for its own roughness. */
  static long allocatorLimit(MemoryPlan memory) {
    return memory.owned() + memory.workspace() / 4 + BESIDE_WORKSPACE;
  }

  /**
   * What a job that writes runs with; empty for others.
   *
   * @throws ModelException if the job's settings, together with the model's, make no sense
   */
  static Optional<GenerationSettings> settings(EngineOptions options, ModelFiles files) {
    if (!(options.task() instanceof Task.Generate generate)) {
      return Optional.empty();
    }
    try {
      GenerationSettings settings =
          GenerationSettings.resolve(generate.options(), files.generation());
      settings.checkVocabulary(files.config().vocabSize());
      return Optional.of(settings);
    } catch (InvalidSettingException e) {
      throw new ModelException("generate", e.getMessage(), e);
    }
  }

  private static Optional<Labels> labels(EngineOptions options, ModelFiles files) {
    if (options.task() instanceof Task.Classify) {
      return Optional.of(files.config().labels());
    }
    return options.task() instanceof Task.Score score && !score.labels().isEmpty()
        ? Optional.of(new Labels(score.labels(), Labels.Kind.SINGLE_LABEL))
        : Optional.empty();
  }

  /** What an engine would take, whether or not this machine has it. */
  static MemoryPlan memory(EngineOptions options, ModelFiles files, KernelSetup setup) {
    Preparation preparation = Preparation.of(options, setup, files);
    return memory(options, files, setup, preparation, settings(options, files), 0);
  }

  private static MemoryPlan memory(
      EngineOptions options,
      ModelFiles files,
      KernelSetup setup,
      Preparation preparation,
      Optional<GenerationSettings> settings,
      long prefixBytes) {
    long prepared = preparation.bytes(files);
    long copied = files.checkpoint().copiedBytes() + (preparation.shared() ? 0 : prepared);
    if (setup.oneDnn()
        && setup.precision() == Precision.BFLOAT16
        && preparation.kind() == Preparation.Kind.NONE) {
      for (Tensor weight : files.weights().linearWeights()) {
        if (weight.type() != ElementType.BF16) {
          copied += (long) weight.rows() * weight.columns() * ElementType.BF16.bytes();
        }
      }
    }
    copied += files.adapters().preparedBytes();
    long workspace = workspace(options, files, setup.precision(), settings);
    if (!files.adapters().isEmpty()) {
      workspace +=
          Decoder.adapterWorkspaceBytes(files.config(), setup.precision(), files.adapters().rank());
    }
    long available = HostMemory.available();
    long left = Math.max(0, available - copied - workspace - prefixBytes);
    long kvCache =
        settings.map(mine -> kvCache(options, files, setup.precision(), mine, left)).orElse(0L);
    long mapped =
        files.checkpoint().bytes()
            - files.checkpoint().ignoredBytes()
            - unmappedBytes(files, preparation)
            + (preparation.shared() ? prepared : 0);
    return new MemoryPlan(mapped, copied, workspace, kvCache, prefixBytes, available);
  }

  /** Of the checkpoint: weights that are copied, or not read any more. */
  private static long unmappedBytes(ModelFiles files, Preparation preparation) {
    // What is copied of a raw release is among what is prepared.
    return preparation.kind() == Preparation.Kind.NONE
        ? files.checkpoint().copiedBytes()
        : preparation.replacedBytes(files);
  }

  private static long workspace(
      EngineOptions options,
      ModelFiles files,
      Precision precision,
      Optional<GenerationSettings> settings) {
    long batch = options.batchTokens();
    long longest = options.maxTokens();
    if (options.task() instanceof Task.Generate generate) {
      // A step takes a token of every text and a chunk of a prompt, whatever the token budget.
      int texts = Math.max(generate.maxSequences(), settings.map(Planner::textsOfRow).orElse(1));
      batch = Math.max(batch, (long) texts + GeneratingRow.CHUNK);
    } else if (options.task() instanceof Task.Score) {
      // Prompt and labels are bounded by the same number each.
      longest *= 2;
    }
    return Decoder.workspaceBytes(
        files.config(),
        precision,
        (int) Math.min(batch, LONGEST_ROW),
        (int) Math.min(longest, LONGEST_ROW));
  }

  private static int textsOfRow(GenerationSettings settings) {
    return Math.max(settings.samples(), settings.numBeams());
  }

  /** Of a row's texts, each of full length. */
  private static long kvBytesOfLongestRow(
      EngineOptions options, ModelFiles files, Precision precision, GenerationSettings settings) {
    long longest = (long) options.maxTokens() + settings.maxNewTokens(0);
    int mostTokens = (int) Math.min(longest, LONGEST_ROW);
    long one = KvCache.bytes(files.config(), precision, mostTokens);
    return times(one, textsOfRow(settings));
  }

  private static long times(long bytes, long count) {
    return bytes > Long.MAX_VALUE / count ? Long.MAX_VALUE : bytes * count;
  }

  /**
   * What the job says; else enough for as many texts as may run, but at most half of what is left.
   */
  private static long kvCache(
      EngineOptions options,
      ModelFiles files,
      Precision precision,
      GenerationSettings settings,
      long left) {
    Task.Generate generate = (Task.Generate) options.task();
    if (generate.kvMemory() > 0) {
      return generate.kvMemory();
    }
    long row = kvBytesOfLongestRow(options, files, precision, settings);
    long rows = 1 + (generate.maxSequences() - 1L) / textsOfRow(settings);
    return Math.min(left / 2, times(row, rows));
  }

  private static void requireMemory(MemoryPlan memory, AdapterFiles adapters, List<String> notes) {
    long needed = memory.owned();
    if (needed > memory.available()) {
      throw new ModelException(
          "memory",
          String.format(
              Locale.ROOT,
              "the engine needs %s (workspace %s, converted weights %s, %skeys and values %s) besides"
                  + " the mapped weights, but %s are available; lower batch.max-tokens,"
                  + " model.max-tokens, generate.kv-memory or batch.shared-prefix%s",
              ByteCount.shown(needed),
              ByteCount.shown(memory.workspace()),
              ByteCount.shown(memory.weightsCopied() - adapters.preparedBytes()),
              adapters.isEmpty()
                  ? ""
                  : "adapters " + ByteCount.shown(adapters.preparedBytes()) + ", ",
              ByteCount.shown(memory.kvCache() + memory.sharedPrefix()),
              ByteCount.shown(memory.available()),
              adapters.isEmpty() ? "" : ", or have fewer model.adapters in one job"));
    }
    if (needed + memory.weightsMapped() > memory.available()) {
      notes.add(
          String.format(
              Locale.ROOT,
              "weights of %s do not fit into the page cache beside the workspace (%s available):"
                  + " they will be read from disk again and again",
              ByteCount.shown(memory.weightsMapped()),
              ByteCount.shown(memory.available())));
    }
  }

  private static String describe(EngineOptions options, ModelFiles files, Reading reading) {
    MistralConfig config = files.config();
    boolean classifies = options.task() instanceof Task.Classify;
    String name = classifies ? "MistralForSequenceClassification" : "MistralForCausalLM";
    String answers = classifies ? config.labels().names().size() + " labels, " : "";
    if (reading.embedding().isPresent()) {
      name = "MistralModel";
      answers = "embeddings of " + reading.embedding().get().form().dimensions() + ", ";
    }
    return "%s, %s, %s%s"
        .formatted(name, config.geometry(), answers, ByteCount.shown(files.checkpoint().bytes()));
  }

  private static String describe(Preparation preparation, ModelFiles files) {
    return "weights are kept %s: %s in %s"
        .formatted(
            preparation.kind() == Preparation.Kind.INT8
                ? "in int8, with a scale for each output"
                : "packed, which is faster for few tokens at a time",
            ByteCount.shown(preparation.bytes(files)),
            preparation.shared()
                ? preparation.folder() + ", made once per host and shared by its executors"
                : "this process's own memory");
  }

  private static String reason(EngineOptions options, KernelSetup setup) {
    if (options.kernels() == KernelChoice.JAVA || !setup.oneDnn()) {
      return "the kernels are plain Java";
    }
    return setup.precision() != Precision.FLOAT32
        ? "this processor multiplies bfloat16"
        : "this processor does not multiply bfloat16";
  }

  private static String name(Precision precision) {
    return precision.name().toLowerCase(Locale.ROOT);
  }
}
