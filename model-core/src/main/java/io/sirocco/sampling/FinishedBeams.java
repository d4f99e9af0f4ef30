package io.sirocco.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The best hypotheses so far, one slot per beam, best first; and whether open beams can still
 * improve on them. Floats are added and divided in the reference's order, minus a thousand million
 * standing for "never" as there.
 */
final class FinishedBeams {
  static final float NEVER = -1e9f;

  /** A slot; without a hypothesis where none has finished, or where what is there is open yet. */
  private record Slot(float score, Optional<BeamHypothesis> hypothesis) {}

  private final GenerationSettings settings;
  private List<Slot> slots = new ArrayList<>();
  private boolean improvable = true;

  FinishedBeams(GenerationSettings settings) {
    this.settings = settings;
    for (int beam = 0; beam < settings.numBeams(); beam++) {
      slots.add(new Slot(NEVER, Optional.empty()));
    }
  }

  /** Everything a step offers: the candidates in their order, finished or not. */
  void offer(List<BeamCandidate> candidates, int generated) {
    float divisor = penalty(generated);
    boolean closed = isFull() && settings.earlyStopping() == EarlyStopping.WHEN_FULL;
    List<Slot> merged = new ArrayList<>(slots);
    for (int rank = 0; rank < candidates.size(); rank++) {
      BeamCandidate candidate = candidates.get(rank);
      boolean finishes = candidate.finish().isPresent() && rank < settings.numBeams();
      float score = candidate.score() / divisor;
      score += closed ? NEVER : 0;
      score += improvable ? 0 : NEVER;
      score += finishes ? 0 : NEVER;
      merged.add(new Slot(score, finishes ? hypothesis(candidate, score) : Optional.empty()));
    }
    slots = best(merged);
  }

  private static Optional<BeamHypothesis> hypothesis(BeamCandidate candidate, float score) {
    Beam beam = candidate.beam();
    return Optional.of(
        new BeamHypothesis(
            beam.newIds(), score, beam.logProbabilities(), candidate.finish().orElseThrow()));
  }

  /** The best; of equal ones (the reference takes any) hypotheses first, then earlier ones. */
  private List<Slot> best(List<Slot> merged) {
    TopRanks top = new TopRanks();
    top.begin(settings.numBeams());
    List<Slot> ordered = new ArrayList<>();
    merged.stream().filter(slot -> slot.hypothesis().isPresent()).forEach(ordered::add);
    merged.stream().filter(slot -> slot.hypothesis().isEmpty()).forEach(ordered::add);
    for (int at = 0; at < ordered.size(); at++) {
      top.offer(TopRanks.earlierFirst(ordered.get(at).score(), at));
    }
    List<Slot> best = new ArrayList<>();
    for (long rank : top.descending()) {
      best.add(ordered.get(TopRanks.positionOf(rank)));
    }
    return best;
  }

  /**
   * Takes note of the best open beam's score.
   *
   * @param generated new tokens it has
   * @param most new tokens it may have
   */
  void compare(float bestOpen, int generated, int most) {
    boolean hopesForLength =
        settings.earlyStopping() == EarlyStopping.NEVER && settings.lengthPenalty() > 0;
    float possible = bestOpen / penalty(hopesForLength ? most : generated);
    float worst = Float.POSITIVE_INFINITY;
    for (Slot slot : slots) {
      worst = Math.min(worst, slot.score());
    }
    boolean better = false;
    for (Slot slot : slots) {
      better |= possible > (slot.hypothesis().isPresent() ? worst : NEVER);
    }
    improvable &= better;
  }

  /** Whether no open beam can change the hypotheses. */
  boolean isSettled() {
    return !improvable || (isFull() && settings.earlyStopping() == EarlyStopping.WHEN_FULL);
  }

  private boolean isFull() {
    return slots.stream().allMatch(slot -> slot.hypothesis().isPresent());
  }

  private float penalty(int generated) {
    return (float) StrictMath.pow(generated, settings.lengthPenalty());
  }

  List<BeamHypothesis> best(int count) {
    return slots.stream().flatMap(slot -> slot.hypothesis().stream()).limit(count).toList();
  }
}
