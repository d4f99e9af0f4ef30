package io.sirocco.engine;

import io.sirocco.model.Continuation;
import io.sirocco.model.KvCache;
import io.sirocco.sampling.FinishReason;
import io.sirocco.sampling.LogNormalizer;
import io.sirocco.sampling.ScoreProcessors;
import io.sirocco.sampling.StopStrings;
import io.sirocco.sampling.TokenChoice;
import io.sirocco.sampling.UniformDraws;
import java.util.Arrays;
import java.util.Optional;

/** One text of a {@link SampledRow}. */
final class SampledText implements AutoCloseable {
  private final Writing writing;
  private final ScoreProcessors processors;
  private final int promptLength;
  private final Draws draws;
  private final int maxNewTokens;
  private int[] ids;
  private int length;
  private float[] logprobs = {};
  private StopStrings.Cursor stop;
  private Optional<KvCache> cache = Optional.empty();
  private Optional<FinishReason> finish = Optional.empty();

  /** The random numbers of one of a row's texts. */
  record Draws(UniformDraws row, int sample) {
    double at(int step) {
      return row.at(sample, step);
    }
  }

  SampledText(
      Writing writing, ScoreProcessors processors, int[] prompt, Draws draws, int maxNewTokens) {
    this.writing = writing;
    this.processors = processors;
    this.promptLength = prompt.length;
    this.draws = draws;
    this.maxNewTokens = maxNewTokens;
    this.ids = Arrays.copyOf(prompt, prompt.length + Math.min(maxNewTokens, 64));
    this.length = prompt.length;
    this.stop = writing.stops().after(prompt);
  }

  /** The keys and values of everything before the last token, which becomes this text's own. */
  void continueWith(KvCache before) {
    cache = Optional.of(before);
  }

  Continuation next() {
    return Continuation.of(cache.orElseThrow(), ids[length - 1]);
  }

  /** Chooses the next token; the logits are overwritten. */
  void accept(float[] logits) {
    int token;
    if (writing.logprobs()) {
      LogNormalizer normalizer = LogNormalizer.of(logits);
      float[] raw = logits.clone();
      token = choose(logits);
      logprobs = Arrays.copyOf(logprobs, logprobs.length + 1);
      logprobs[logprobs.length - 1] = normalizer.logProbability(raw[token]);
    } else {
      token = choose(logits);
    }
    append(token);
    int generated = length - promptLength;
    if (writing.settings().isEos(token)) {
      finish = Optional.of(FinishReason.STOP);
    } else if (stop.isMatch()) {
      finish = Optional.of(FinishReason.STOP_STRING);
    } else if (generated >= maxNewTokens) {
      finish = Optional.of(FinishReason.LENGTH);
    }
  }

  private int choose(float[] scores) {
    if (!writing.settings().doSample()) {
      processors.process(ids, length, scores);
      return TokenChoice.greedy(scores);
    }
    processors.apply(ids, length, scores);
    return TokenChoice.sample(scores, draws.at(length - promptLength), writing.workspace());
  }

  private void append(int token) {
    if (length == ids.length) {
      ids = Arrays.copyOf(ids, length + Math.max(64, (length - promptLength) / 2));
    }
    ids[length++] = token;
    stop = stop.next(token);
  }

  boolean isDone() {
    return finish.isPresent();
  }

  Generation generation() {
    int[] prompt = Arrays.copyOf(ids, promptLength);
    int[] written = Arrays.copyOfRange(ids, promptLength, length);
    FinishReason reason = finish.orElseThrow();
    double sum = 0;
    for (float logprob : logprobs) {
      sum += logprob;
    }
    return new Generation(writing.text(prompt, written, reason), reason, written, logprobs, sum);
  }

  /** Frees its keys and values. */
  @Override
  public void close() {
    cache.ifPresent(KvCache::close);
    cache = Optional.empty();
  }
}
