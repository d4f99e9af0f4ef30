package io.sirocco.engine;

import io.sirocco.model.Continuation;
import io.sirocco.model.KvCache;
import io.sirocco.sampling.BeamHypothesis;
import io.sirocco.sampling.BeamSearch;
import io.sirocco.sampling.UniformDraws;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.OptionalInt;

/** A row whose texts are found by beam search: its beams advance together. */
final class BeamRow extends GeneratingRow {
  private final Writing writing;
  private final BeamSearch search;
  private final List<KvCache> caches = new ArrayList<>();
  private int[] tokens = {};

  BeamRow(RowQueue.Entry entry, Size size, KvBudget budget, Writing writing) {
    super(entry, size, budget);
    this.writing = writing;
    UniformDraws draws = UniformDraws.of(writing.settings().seed(), RowKeys.of(entry.accepted()));
    this.search =
        new BeamSearch(
            writing.settings(),
            entry.accepted().row().ids(),
            new BeamSearch.Context(draws, writing.stops(), writing.workspace()));
  }

  @Override
  int sequences() {
    return writing.settings().numBeams();
  }

  @Override
  List<Continuation> next() {
    List<Continuation> next = new ArrayList<>();
    for (int beam = 0; beam < tokens.length; beam++) {
      next.add(Continuation.of(caches.get(beam), tokens[beam]));
    }
    return next;
  }

  @Override
  void accept(float[][] logits) {
    if (caches.isEmpty()) {
      caches.add(takePromptCache());
    }
    BeamSearch.Step step = search.advance(logits);
    if (search.isDone()) {
      closeCaches();
    } else {
      follow(step.parents());
    }
    tokens = step.tokens();
  }

  /**
   * Gives each beam the keys and values of the one it continues. The first beam behind a parent
   * takes over its cache, the others copy it into caches that nobody continues, or new ones.
   */
  private void follow(int[] parents) {
    List<KvCache> before = List.copyOf(caches);
    Deque<KvCache> free = new ArrayDeque<>();
    for (int beam = 0; beam < before.size(); beam++) {
      if (indexOf(parents, beam) < 0) {
        free.add(before.get(beam));
      }
    }
    caches.clear();
    caches.addAll(Collections.nCopies(parents.length, before.get(0)));
    for (int beam = 0; beam < parents.length; beam++) {
      KvCache parent = before.get(parents[beam]);
      boolean isFirst = indexOf(parents, parents[beam]) == beam;
      caches.set(beam, isFirst ? parent : copied(parent, free));
    }
    free.forEach(KvCache::close);
  }

  private static KvCache copied(KvCache parent, Deque<KvCache> free) {
    if (free.isEmpty()) {
      return parent.copy();
    }
    KvCache copy = free.remove();
    copy.become(parent);
    return copy;
  }

  private static int indexOf(int[] values, int value) {
    for (int i = 0; i < values.length; i++) {
      if (values[i] == value) {
        return i;
      }
    }
    return -1;
  }

  @Override
  boolean isDone() {
    return search.isDone();
  }

  @Override
  RowOutcome outcome() {
    int[] prompt = accepted().row().ids();
    List<Generation> generations = new ArrayList<>();
    for (BeamHypothesis found : search.results()) {
      generations.add(
          new Generation(
              writing.text(prompt, found.ids(), found.finish()),
              found.finish(),
              found.ids(),
              found.logProbabilities(),
              found.score()));
    }
    return new RowOutcome.Generated(
        generations, OptionalInt.of(accepted().tokenCount()), accepted().truncated());
  }

  @Override
  void closeCaches() {
    caches.forEach(KvCache::close);
    caches.clear();
  }
}
