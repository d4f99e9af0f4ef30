package io.sirocco.engine;

import io.sirocco.model.ClassificationHead;
import io.sirocco.model.Decoder;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.model.MistralModel;
import io.sirocco.sampling.GenerationSettings;
import io.sirocco.tokenizer.Tokenizer;
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
      Tokenizer tokenizer,
      BufferAllocator allocator) {}

  /** The caller closes the result. */
  static Worker of(OpenModel open) {
    Decoder decoder = new Decoder(open.model(), open.allocator());
    try {
      return worker(open, decoder);
    } catch (RuntimeException e) {
      decoder.close();
      throw e;
    }
  }

  private static Worker worker(OpenModel open, Decoder decoder) {
    EngineOptions options = open.options();
    if (options.task() instanceof Task.Generate generate) {
      GenerationSettings settings = Planner.settings(options, open.files()).orElseThrow();
      return new RunningBatch(
          new RunningBatch.Parts(
              decoder,
              new LanguageModelHead(open.model(), open.files().head()),
              new KvBudget(
                  open.files().config(),
                  open.plan().precision(),
                  open.allocator(),
                  open.plan().memory().kvCache()),
              Writing.of(settings, open.tokenizer(), generate.logprobs()),
              open.allocator()),
          new RunningBatch.Limits(options.batchTokens(), generate.maxSequences()));
    }
    return new Batches(decoder, head(open), options.batchTokens());
  }

  private static BatchHead head(OpenModel open) {
    return open.options().task() instanceof Task.Score
        ? new LabelHead(new LanguageModelHead(open.model(), open.files().head()), open.allocator())
        : new ClassHead(
            new ClassificationHead(open.model(), open.files().head()), open.allocator());
  }
}
