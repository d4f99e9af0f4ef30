package io.sirocco.engine;

import io.sirocco.kernel.Matrix;
import io.sirocco.model.Adapter;
import io.sirocco.model.Continuation;
import io.sirocco.model.Decoder;
import io.sirocco.model.KvCache;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.sampling.GenerationException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link Task.Generate}: the rows of all callers that are being written, in one batch that never
 * stops. Each step computes one token of every text and, within the token budget, chunks of the
 * prompts of rows that have come; a row's place is taken as soon as it has ended.
 *
 * <p>Rows start in the order they came, when the KV budget has room for all they can come to need.
 */
final class RunningBatch implements Worker {
  private static final Logger LOG = LoggerFactory.getLogger(RunningBatch.class);

  private final Parts parts;
  private final Limits limits;
  private final RowSizes sizes;
  private final List<GeneratingRow> running = new ArrayList<>();

  /** Rows of a step that failed: computed again, each alone. */
  private final Deque<RowQueue.Entry> suspects = new ArrayDeque<>();

  /** What computes; decoder, workspace and budget are closed with the batch. */
  record Parts(
      Decoder decoder,
      PrefixStore prefix,
      OpenAdapters adapters,
      LanguageModelHead head,
      KvBudget budget,
      Writing writing,
      BufferAllocator workspace,
      Meter meter,
      LoneFailures failures) {}

  /**
   * @param stepTokens token budget of one step
   * @param maxSequences texts that are written at the same time
   */
  record Limits(int stepTokens, int maxSequences) {}

  /** One step's work of a row. */
  private record Share(GeneratingRow row, List<Continuation> continuations) {
    int tokens() {
      return continuations.stream().mapToInt(next -> next.ids().length).sum();
    }
  }

  RunningBatch(Parts parts, Limits limits) {
    this.parts = parts;
    this.limits = limits;
    this.sizes = new RowSizes(parts.writing().settings(), parts.budget());
  }

  @Override
  public boolean work(RowQueue queue) throws InterruptedException {
    closeGivenUp(running);
    if (queue.closed().isPresent()) {
      return false;
    }
    parts.meter().running(sequencesRunning());
    admit(queue);
    parts.meter().running(sequencesRunning());
    if (!running.isEmpty()) {
      step();
    }
    return true;
  }

  /**
   * Frees and removes the rows whose callers have given up. Others may give up at any moment, so
   * each row is asked once: one that is removed is always one that was freed.
   */
  static void closeGivenUp(List<GeneratingRow> rows) {
    Iterator<GeneratingRow> all = rows.iterator();
    while (all.hasNext()) {
      GeneratingRow row = all.next();
      if (row.entry().outcome().isDone()) {
        row.close();
        all.remove();
      }
    }
  }

  private int sequencesRunning() {
    return running.stream().mapToInt(GeneratingRow::sequences).sum();
  }

  private void admit(RowQueue queue) throws InterruptedException {
    if (running.isEmpty() && !suspects.isEmpty()) {
      start(suspects.remove());
    } else if (suspects.isEmpty()) {
      if (running.isEmpty()) {
        queue.await().ifPresent(this::start);
      }
      Optional<RowQueue.Entry> next = queue.poll(this::fits);
      while (next.isPresent()) {
        start(next.get());
        next = queue.poll(this::fits);
      }
    }
  }

  /** Whether the row can start now, or be refused now. */
  private boolean fits(RowQueue.Entry entry) {
    Optional<GeneratingRow.Size> size = sizes.of(entry.accepted());
    if (size.isEmpty() || sizes.bytes(size.get()) > parts.budget().capacity()) {
      return true;
    }
    return (running.isEmpty()
            || sequencesRunning() + size.get().sequences() <= limits.maxSequences())
        && parts.budget().hasRoomFor(sizes.bytes(size.get()));
  }

  private void start(RowQueue.Entry entry) {
    try {
      Optional<RowOutcome> refused = sizes.refusal(entry.accepted());
      if (refused.isPresent()) {
        entry.outcome().complete(refused.get());
        return;
      }
      GeneratingRow.Size size = sizes.of(entry.accepted()).orElseThrow();
      int shared = entry.accepted().shared();
      Optional<KvCache> prefix = parts.prefix().of(entry.accepted(), size.promptTokens());
      GeneratingRow row =
          parts.writing().settings().numBeams() > 1
              ? new BeamRow(entry, size, parts.budget(), parts.writing())
              : new SampledRow(entry, size, parts.budget(), parts.writing());
      running.add(row);
      prefix.ifPresent(keys -> row.begin(keys, shared));
      parts.meter().shared(shared);
    } catch (OutOfMemoryException e) {
      throw parts.budget().broken(e);
    } catch (RuntimeException e) {
      entry.outcome().complete(parts.failures().outcome(entry.accepted(), e));
    }
  }

  private void step() {
    List<Share> shares = shares();
    int tokens = shares.stream().mapToInt(Share::tokens).sum();
    try {
      parts.meter().pass(shares.size(), tokens, () -> compute(shares));
      parts.failures().forget();
    } catch (EngineFailedException e) {
      throw e;
    } catch (RuntimeException e) {
      repeatAlone(e);
    }
  }

  /**
   * A token of every text, then a chunk of a prompt, then more of them while the budget lasts:
   * texts that run never keep prompts from coming.
   */
  private List<Share> shares() {
    List<Share> shares = new ArrayList<>();
    int tokens = 0;
    for (GeneratingRow row : running) {
      if (!row.isPrompt()) {
        Share share = new Share(row, row.next());
        shares.add(share);
        tokens += share.tokens();
      }
    }
    boolean first = true;
    for (GeneratingRow row : running) {
      if (row.isPrompt()) {
        Share share = new Share(row, List.of(row.nextChunk()));
        if (!first && tokens + share.tokens() > limits.stepTokens()) {
          break;
        }
        first = false;
        shares.add(share);
        tokens += share.tokens();
      }
    }
    shares.sort(Comparator.comparing(share -> share.row().accepted(), OpenAdapters.TOGETHER));
    return shares;
  }

  /** With its row's adapter. */
  private Stream<Continuation> continuations(Share share) {
    Optional<Adapter> adapter = parts.adapters().of(share.row().accepted());
    return share.continuations().stream().map(next -> next.with(adapter));
  }

  /** How many rows have gone on. */
  private int compute(List<Share> shares) {
    Matrix residual = parts.decoder().step(shares.stream().flatMap(this::continuations).toList());
    List<Share> wanting = new ArrayList<>();
    List<Integer> lastTokens = new ArrayList<>();
    int token = 0;
    for (Share share : shares) {
      if (share.row().isPrompt()) {
        parts.meter().read(share.tokens());
      }
      boolean wants =
          !share.row().isPrompt() || share.row().promptIsDoneWith(share.continuations().get(0));
      for (Continuation next : share.continuations()) {
        token += next.ids().length;
        if (wants) {
          lastTokens.add(token - 1);
        }
      }
      if (wants) {
        wanting.add(share);
      }
    }
    float[][] logits = parts.head().logits(residual, lastTokens, parts.workspace());
    int from = 0;
    for (Share share : wanting) {
      int count = share.continuations().size();
      accept(share.row(), Arrays.copyOfRange(logits, from, from + count));
      from += count;
    }
    return wanting.size();
  }

  /** What goes wrong in here is the row's own. */
  private void accept(GeneratingRow row, float[][] logits) {
    try {
      if (!isFinite(logits)) {
        end(
            row,
            new RowOutcome.Failed(
                RowErrorCode.NON_FINITE_LOGITS,
                "the model's logits are not finite",
                OptionalInt.of(row.accepted().tokenCount())));
        return;
      }
      parts.meter().generated(row.sequences());
      row.accept(logits);
      if (row.isDone()) {
        end(row, row.outcome());
      }
    } catch (GenerationException e) {
      end(
          row,
          new RowOutcome.Failed(
              RowErrorCode.NO_TOKEN, e.getMessage(), OptionalInt.of(row.accepted().tokenCount())));
    } catch (OutOfMemoryException e) {
      throw parts.budget().broken(e); // Choosing tokens takes no native memory but that of caches.
    } catch (RuntimeException e) {
      end(row, parts.failures().outcome(row.accepted(), e));
    }
  }

  private static boolean isFinite(float[][] logits) {
    for (float[] row : logits) {
      float zero = 0;
      for (float logit : row) {
        // Not a number, unless the logit is finite.
        zero += logit * 0;
      }
      if (Float.isNaN(zero)) {
        return false;
      }
    }
    return true;
  }

  private void end(GeneratingRow row, RowOutcome outcome) {
    running.remove(row);
    row.close();
    row.entry().outcome().complete(outcome);
  }

  /**
   * A step may have stored a part of its keys and values, so its rows begin again, one at a time:
   * they come to the same answers, and the one that cannot be computed takes no other with it.
   */
  private void repeatAlone(RuntimeException e) {
    List<GeneratingRow> rows = List.copyOf(running);
    running.clear();
    rows.forEach(GeneratingRow::close);
    if (rows.size() == 1) {
      RowQueue.Entry entry = rows.get(0).entry();
      entry.outcome().complete(parts.failures().outcome(entry.accepted(), e));
      return;
    }
    LOG.warn("a step of {} rows failed; they are written again, row by row", rows.size(), e);
    rows.forEach(row -> suspects.add(row.entry()));
  }

  @Override
  public long keyValueBytes() {
    return parts.budget().allocated() + parts.prefix().allocated();
  }

  @Override
  public void close() {
    running.forEach(GeneratingRow::close);
    running.clear();
    parts.budget().close();
    parts.prefix().close();
    parts.decoder().close();
    parts.workspace().close();
  }
}
