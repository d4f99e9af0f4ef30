package io.sirocco.engine;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Gives rows the answers of equal ones: of those that wait or are computed now, and of those that
 * were computed lately, as many as there is memory for. So an answer is computed once, whichever
 * caller asked first. Failed rows are not kept. Safe for any number of threads.
 */
final class Duplicates {
  /** What an answer takes beside its contents: objects, references, the maps' entries. */
  private static final long OVERHEAD = 400;

  private final long capacity;
  private final Question.Draws draws;
  private final Meter meter;
  private final Map<Question, Askers> unanswered = new HashMap<>();

  /** The longest unused first. */
  private final Map<Question, RowOutcome> known = new LinkedHashMap<>(16, 0.75f, true);

  private long held;

  /**
   * @param capacity bytes of heap for answers; 0: rows are not compared at all
   * @param draws what random draws depend on
   * @param meter is told what was saved
   */
  Duplicates(long capacity, Question.Draws draws, Meter meter) {
    this.capacity = capacity;
    this.draws = draws;
    this.meter = meter;
  }

  /** What tells whether rows are equal; empty if nobody wants to know. */
  Optional<Question> question(Intake.Accepted row) {
    return capacity == 0 ? Optional.empty() : Optional.of(Question.of(row, draws));
  }

  /** The answer of an equal row, if there is one that is known or on its way. */
  Optional<RowAnswer> find(Question question, Intake.Accepted row) {
    Optional<RowAnswer> found;
    synchronized (this) {
      RowCost cost = RowCost.ofDuplicate(row);
      Askers others = unanswered.get(question);
      found =
          others != null
              ? others.join(cost)
              : Optional.ofNullable(known.get(question))
                  .map(outcome -> RowAnswer.of(outcome, cost));
    }
    found.ifPresent(answer -> meter.duplicate(answer.cost().duplicate()));
    return found;
  }

  /** From now on until the row has its outcome, equal rows join its askers. */
  void begin(Question question, RowQueue.Entry entry, Askers askers) {
    synchronized (this) {
      unanswered.put(question, askers);
    }
    var unused = entry.outcome().whenComplete((outcome, failure) -> end(question, askers, outcome));
  }

  /** {@code outcome} is null where the row was given up, or the engine broke. */
  private synchronized void end(Question question, Askers askers, RowOutcome outcome) {
    unanswered.remove(question, askers);
    if (outcome != null && !(outcome instanceof RowOutcome.Failed)) {
      if (known.put(question, outcome) == null) {
        held += bytes(question, outcome);
      }
      var eldest = known.entrySet().iterator();
      while (held > capacity) {
        Map.Entry<Question, RowOutcome> last = eldest.next();
        held -= bytes(last.getKey(), last.getValue());
        eldest.remove();
      }
    }
  }

  private static long bytes(Question question, RowOutcome outcome) {
    return OVERHEAD + question.size() + bytes(outcome);
  }

  private static long bytes(RowOutcome outcome) {
    if (outcome instanceof RowOutcome.Scored scored) {
      return (long) scored.logits().length * Float.BYTES;
    }
    if (outcome instanceof RowOutcome.Embedded embedded) {
      return (long) embedded.embedding().length * Float.BYTES;
    }
    if (outcome instanceof RowOutcome.Labelled labelled) {
      return labelled.labels().stream().mapToLong(label -> OVERHEAD + 2L * label.length()).sum();
    }
    return ((RowOutcome.Generated) outcome).samples().stream().mapToLong(Duplicates::bytes).sum();
  }

  private static long bytes(Generation text) {
    return OVERHEAD
        + (long) text.text().length() * Character.BYTES
        + (long) text.ids().length * Integer.BYTES
        + (long) text.logprobs().length * Float.BYTES;
  }
}
