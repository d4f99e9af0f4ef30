package io.sirocco.engine;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.model.Decoder;
import io.sirocco.model.MistralConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Decides, before the first batch, what an engine runs and whether its memory suffices. */
final class Planner {
  /** Arrow batches of the callers, and what oneDNN takes for itself. */
  private static final long BESIDE_WORKSPACE = 512L << 20;

  private Planner() {}

  static EnginePlan plan(EngineOptions options, ModelFiles files, KernelSetup setup) {
    List<String> notes = new ArrayList<>();
    setup.fallback().ifPresent(why -> notes.add("kernels are plain Java, which is slow: " + why));
    if (options.precision() == PrecisionChoice.AUTO) {
      notes.add("precision " + name(setup.precision()) + ", because " + reason(options, setup));
    }
    if (!files.checkpoint().ignored().isEmpty()) {
      notes.add("tensors of the checkpoint that are not used: " + files.checkpoint().ignored());
    }
    MemoryPlan memory = memory(options, files, setup);
    if (memory.weightsCopied() > 0) {
      notes.add(
          "weights are converted to bfloat16 in this process's own memory; a bfloat16 checkpoint, or"
              + " precision float32, would share them");
    }
    requireMemory(memory, notes);
    return new EnginePlan(
        describe(files),
        files.checkpoint().fingerprint(),
        Optional.of(files.config().labels()),
        List.of(),
        setup.precision(),
        setup.oneDnn() ? OneDnnKernels.describe(options.threads()) : "plain Java",
        List.copyOf(notes),
        memory);
  }

  /** Limit of the engine's allocator: the plan, with room for callers and for its own roughness. */
  static long allocatorLimit(MemoryPlan memory) {
    return memory.weightsCopied() + memory.workspace() * 5 / 4 + BESIDE_WORKSPACE;
  }

  private static MemoryPlan memory(EngineOptions options, ModelFiles files, KernelSetup setup) {
    long copied = 0;
    if (setup.oneDnn() && setup.precision() == Precision.BFLOAT16) {
      for (Tensor weight : files.weights().linearWeights()) {
        if (weight.type() != ElementType.BF16) {
          copied += (long) weight.rows() * weight.columns() * ElementType.BF16.bytes();
        }
      }
    }
    long workspace =
        Decoder.workspaceBytes(
            files.config(), setup.precision(), options.batchTokens(), options.maxTokens());
    return new MemoryPlan(files.checkpoint().bytes(), copied, workspace, HostMemory.available());
  }

  private static void requireMemory(MemoryPlan memory, List<String> notes) {
    long needed = memory.weightsCopied() + memory.workspace();
    if (needed > memory.available()) {
      throw new ModelException(
          "memory",
          String.format(
              Locale.ROOT,
              "the engine needs %s (workspace %s, converted weights %s) besides the mapped weights,"
                  + " but %s are available; lower batch.max-tokens or model.max-tokens",
              gib(needed),
              gib(memory.workspace()),
              gib(memory.weightsCopied()),
              gib(memory.available())));
    }
    if (needed + memory.weightsMapped() > memory.available()) {
      notes.add(
          String.format(
              Locale.ROOT,
              "weights of %s do not fit into the page cache beside the workspace (%s available):"
                  + " they will be read from disk again and again",
              gib(memory.weightsMapped()),
              gib(memory.available())));
    }
  }

  private static String describe(ModelFiles files) {
    MistralConfig config = files.config();
    return String.format(
        Locale.ROOT,
        "MistralForSequenceClassification, %d layers, hidden %d, %d heads on %d key-value heads of"
            + " %d, feed-forward %d, vocabulary %d, window %s, %d labels, %s",
        config.numHiddenLayers(),
        config.hiddenSize(),
        config.numAttentionHeads(),
        config.numKeyValueHeads(),
        config.headDim(),
        config.intermediateSize(),
        config.vocabSize(),
        config.slidingWindow().isPresent() ? config.slidingWindow().getAsInt() : "none",
        config.labels().names().size(),
        gib(files.checkpoint().bytes()));
  }

  private static String reason(EngineOptions options, KernelSetup setup) {
    if (options.kernels() == KernelChoice.JAVA || !setup.oneDnn()) {
      return "the kernels are plain Java";
    }
    return setup.precision() == Precision.BFLOAT16
        ? "this processor multiplies bfloat16"
        : "this processor does not multiply bfloat16";
  }

  private static String name(Precision precision) {
    return precision.name().toLowerCase(Locale.ROOT);
  }

  private static String gib(long bytes) {
    return bytes < 1L << 30
        ? String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1L << 20))
        : String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
