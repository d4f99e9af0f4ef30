package io.sirocco.engine;

import io.sirocco.model.ClassificationHead;
import io.sirocco.model.Decoder;
import io.sirocco.model.EmbeddingHead;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.model.MistralModel;
import io.sirocco.model.PrefixKeys;
import io.sirocco.sampling.GenerationSettings;
import io.sirocco.tokenizer.Tokenizer;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/** Makes the worker that does an engine's task. */
final class Workers {
  private Workers() {}

  /** An open model, and what its worker may use; all of it stays its owner's. */
  record OpenModel(
      EngineOptions options,
      ModelFiles files,
      EnginePlan plan,
      MistralModel model,
      OpenAdapters adapters,
      PrefixChoice prefix,
      Optional<EmbedSettings> embedding,
      Tokenizer tokenizer,
      BufferAllocator allocator,
      Meter meter) {}

  /** The caller closes the result. */
  static Worker of(OpenModel open) {
    try (Unwinding opened = new Unwinding()) {
      BufferAllocator workspace =
          opened.add(open.allocator().newChildAllocator("workspace", 0, Long.MAX_VALUE));
      Decoder decoder = opened.add(new Decoder(open.model(), workspace));
      PrefixStore prefix = opened.add(prefix(open, decoder));
      Worker worker = worker(open, new Computing(decoder, prefix), workspace);
      opened.keep();
      return worker;
    }
  }

  private record Computing(Decoder decoder, PrefixStore prefix) {}

  private static PrefixStore prefix(OpenModel open, Decoder decoder) {
    BufferAllocator allocator =
        open.allocator().newChildAllocator("prefix", 0, open.plan().memory().sharedPrefix());
    PrefixKeys.Memory memory =
        new PrefixKeys.Memory(open.files().config(), open.plan().precision(), allocator);
    return new PrefixStore(
        open.prefix(), new PrefixStore.Computing(decoder, open.adapters()), memory, open.meter());
  }

  private static Worker worker(OpenModel open, Computing computing, BufferAllocator workspace) {
    EngineOptions options = open.options();
    LoneFailures failures =
        new LoneFailures(new LoneFailures.Workspace(workspace, open.plan().memory().workspace()));
    if (options.task() instanceof Task.Generate generate) {
      GenerationSettings settings = Planner.settings(options, open.files()).orElseThrow();
      return new RunningBatch(
          new RunningBatch.Parts(
              computing.decoder(),
              computing.prefix(),
              open.adapters(),
              new LanguageModelHead(open.model(), open.files().head().orElseThrow()),
              new KvBudget(
                  open.files().config(),
                  open.plan().precision(),
                  open.allocator(),
                  open.plan().memory().kvCache()),
              Writing.of(settings, open.tokenizer(), generate.logprobs()),
              workspace,
              open.meter(),
              failures),
          new RunningBatch.Limits(options.batchTokens(), generate.maxSequences()));
    }
    return new Batches(
        new Batches.Parts(
            computing.decoder(),
            computing.prefix(),
            head(open, workspace),
            workspace,
            open.meter(),
            failures),
        options.batchTokens());
  }

  private static BatchHead head(OpenModel open, BufferAllocator workspace) {
    if (open.embedding().isPresent()) {
      return new EmbedHead(
          new EmbeddingHead(open.model(), open.embedding().get().form()), workspace);
    }
    return open.options().task() instanceof Task.Score
        ? new LabelHead(
            new LanguageModelHead(open.model(), open.files().head().orElseThrow()), workspace)
        : new ClassHead(new ClassificationHead(open.model(), open.files().head()), workspace);
  }
}
