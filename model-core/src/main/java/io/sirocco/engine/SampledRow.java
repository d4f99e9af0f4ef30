package io.sirocco.engine;

import io.sirocco.model.Continuation;
import io.sirocco.model.KvCache;
import io.sirocco.sampling.GenerationSettings;
import io.sirocco.sampling.ScoreProcessors;
import io.sirocco.sampling.UniformDraws;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** A row whose texts are chosen token by token, greedily or at random, each for itself. */
final class SampledRow extends GeneratingRow {
  private final Writing writing;
  private final int maxNewTokens;
  private final List<SampledText> texts = new ArrayList<>();
  private boolean started;

  SampledRow(RowQueue.Entry entry, Size size, KvBudget budget, Writing writing) {
    super(entry, size, budget);
    this.writing = writing;
    this.maxNewTokens = size.mostTokens() - size.promptTokens();
  }

  @Override
  int sequences() {
    return started ? live().size() : writing.settings().samples();
  }

  private List<SampledText> live() {
    return texts.stream().filter(text -> !text.isDone()).toList();
  }

  @Override
  List<Continuation> next() {
    return live().stream().map(SampledText::next).toList();
  }

  @Override
  void accept(float[][] logits) {
    if (started) {
      List<SampledText> live = live();
      for (int i = 0; i < live.size(); i++) {
        live.get(i).accept(logits[i]);
        releaseIfDone(live.get(i));
      }
    } else {
      start(logits[0]);
    }
  }

  /** All texts begin behind the same prompt, whose keys and values each of them goes on with. */
  private void start(float[] logits) {
    started = true;
    int[] ids = accepted().row().ids();
    GenerationSettings settings = writing.settings();
    UniformDraws draws = UniformDraws.of(settings.seed(), RowKeys.of(accepted()));
    for (int sample = 0; sample < settings.samples(); sample++) {
      ScoreProcessors processors = ScoreProcessors.of(settings, ids.length, writing.workspace());
      SampledText.Draws mine = new SampledText.Draws(draws, sample);
      SampledText text = new SampledText(writing, processors, ids, mine, maxNewTokens);
      text.accept(logits.clone());
      texts.add(text);
    }
    KvCache prompt = takePromptCache();
    List<SampledText> live = live();
    if (live.isEmpty()) {
      prompt.close();
    } else {
      live.get(0).continueWith(prompt);
      live.stream().skip(1).forEach(text -> text.continueWith(prompt.copy()));
    }
    texts.forEach(this::releaseIfDone);
  }

  private void releaseIfDone(SampledText text) {
    if (text.isDone()) {
      text.close();
      releaseOne();
    }
  }

  @Override
  boolean isDone() {
    return started && live().isEmpty();
  }

  @Override
  RowOutcome outcome() {
    return new RowOutcome.Generated(
        texts.stream().map(SampledText::generation).toList(),
        OptionalInt.of(accepted().tokenCount()),
        accepted().truncated());
  }

  @Override
  void closeCaches() {
    texts.forEach(SampledText::close);
  }
}
