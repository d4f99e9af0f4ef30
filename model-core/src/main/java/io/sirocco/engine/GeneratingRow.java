package io.sirocco.engine;

import io.sirocco.model.Continuation;
import io.sirocco.model.KvCache;
import io.sirocco.model.TokenRow;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * One row while it is written: its prompt is computed chunk by chunk, then the next tokens of its
 * texts, until all have ended. Holds the row's caches and its share of the budget until closed.
 */
abstract class GeneratingRow implements AutoCloseable {
  /**
   * Tokens of a prompt that are computed in one step; a multiple of {@link
   * io.sirocco.model.Decoder#STEP_ALIGNMENT}. Where prompts are cut follows from this alone: at its
   * multiples.
   */
  static final int CHUNK = 512;

  private final RowQueue.Entry entry;
  private final KvBudget budget;
  private final Size size;
  private final int[] computed;
  private Optional<KvCache> promptCache;
  private long reserved;
  private int prefilled;

  /**
   * What a row can come to need.
   *
   * @param promptTokens that are computed: masked ones are not
   * @param mostTokens prompt and new ones
   * @param sequences texts that are written at the same time
   */
  record Size(int promptTokens, int mostTokens, int sequences) {}

  /** Takes its share of the budget. */
  GeneratingRow(RowQueue.Entry entry, Size size, KvBudget budget) {
    this.entry = entry;
    this.size = size;
    this.budget = budget;
    this.computed = visible(entry.accepted().row());
    long wanted = Math.multiplyExact(size.sequences(), budget.bytes(size.mostTokens()));
    budget.reserve(wanted);
    try {
      this.promptCache = Optional.of(budget.allocate(size.mostTokens()));
    } catch (RuntimeException | Error e) {
      budget.release(wanted); // Nobody closes a row that was never made.
      throw e;
    }
    this.reserved = wanted;
  }

  /** Takes over the first {@code shared} tokens of its prompt, before any of it is computed. */
  void begin(KvCache prefix, int shared) {
    promptCache.orElseThrow().begin(prefix, shared);
    prefilled = shared;
  }

  /** Masked tokens are not attended to and have no position: they are not computed at all. */
  static int[] visible(TokenRow row) {
    int[] ids = row.ids();
    return row.attentionMask()
        .map(mask -> IntStream.range(0, ids.length).filter(i -> mask[i] != 0).map(i -> ids[i]))
        .map(IntStream::toArray)
        .orElse(ids);
  }

  RowQueue.Entry entry() {
    return entry;
  }

  Intake.Accepted accepted() {
    return entry.accepted();
  }

  /** Texts that this row still writes, or will write. */
  abstract int sequences();

  boolean isPrompt() {
    return prefilled < computed.length;
  }

  /** The prompt's next chunk. */
  Continuation nextChunk() {
    int end = Math.min(computed.length, (prefilled / CHUNK + 1) * CHUNK);
    int[] ids = Arrays.copyOfRange(computed, prefilled, end);
    return new Continuation(promptCache.orElseThrow(), ids, computed.length);
  }

  /** Counts the chunk as computed; whether it was the last one, whose logits are wanted. */
  boolean promptIsDoneWith(Continuation chunk) {
    prefilled += chunk.ids().length;
    return !isPrompt();
  }

  /** The next token of each text, once the prompt is done. */
  abstract List<Continuation> next();

  /**
   * Goes on by a token.
   *
   * @param logits {@code [texts][vocab_size]}, for what {@link #next} returned, or of the prompt's
   *     last token; this row's to change
   */
  abstract void accept(float[][] logits);

  abstract boolean isDone();

  /** Once it is done. */
  abstract RowOutcome outcome();

  /** The cache of the prompt becomes the caller's, who closes it. */
  KvCache takePromptCache() {
    KvCache taken = promptCache.orElseThrow();
    promptCache = Optional.empty();
    return taken;
  }

  /** Gives back the share of a text that has ended and holds no cache any more. */
  void releaseOne() {
    long bytes = budget.bytes(size.mostTokens());
    budget.release(bytes);
    reserved -= bytes;
  }

  /** Frees what the subclass holds in caches. */
  abstract void closeCaches();

  @Override
  public void close() {
    closeCaches();
    promptCache.ifPresent(KvCache::close);
    promptCache = Optional.empty();
    budget.release(reserved);
    reserved = 0;
  }
}
