package io.sirocco.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The beam search of one row, as transformers 5 has it since 4.50. Use:
 *
 * <pre>
 *   BeamSearch search = new BeamSearch(settings, prompt, context);
 *   while (!search.isDone()) {
 *     float[][] logits = ...;            // [search.activeBeams()][vocabulary], float32
 *     Step step = search.advance(logits); // reorder the KV caches by step.parents(), append tokens
 *   }
 *   search.results();
 * </pre>
 *
 * <p>Per step: the log-softmax of each beam's logits goes through the processors and is added to
 * the beam's score; the {@code max(2, 1 + end ids) · beams} best candidates of all beams are taken,
 * or drawn without replacement where the settings sample; those of them that end (by an end id, a
 * stop string or the length) become hypotheses if they are among the first {@code beams}; the best
 * that do not end run on. The first step has one beam, the prompt.
 *
 * <p>Rows do not depend on each other. In a batch the library runs finished rows on beside the
 * others, but takes nothing more from them: their hypotheses are closed by the same conditions that
 * end a row here.
 *
 * <p>Differences, none of which shows while the scores are ordinary numbers: a candidate at minus
 * infinity is none, of equally scored candidates the first counts (the library takes any), and a
 * slot without hypothesis is not returned (there it is a row of padding with the score -1e9).
 */
public final class BeamSearch {

  /**
   * What a row brings along.
   *
   * @param draws random numbers, for sampled beams
   */
  public record Context(UniformDraws draws, StopStrings stops, SamplingWorkspace workspace) {}

  /**
   * The beams that run on; none when the search is done.
   *
   * @param parents by beam, the beam of the step before whose tokens and KV cache it continues
   * @param tokens by beam, the token it adds
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, not kept
  public record Step(int[] parents, int[] tokens) {}

  private final GenerationSettings settings;
  private final Context context;
  private final ScoreProcessors processors;
  private final int maxNewTokens;
  private final FinishedBeams finished;

  private List<Beam> running;

  /** By running beam; longer than {@link #running} before the first step only. */
  private float[] scores;

  private int generated;
  private boolean done;

  /** Before the first step, which computes the prompt. */
  public BeamSearch(GenerationSettings settings, int[] prompt, Context context) {
    this.settings = settings;
    this.context = context;
    this.processors = ScoreProcessors.of(settings, prompt.length, context.workspace());
    this.maxNewTokens = settings.maxNewTokens(prompt.length);
    this.finished = new FinishedBeams(settings);
    this.running = List.of(new Beam(prompt.clone(), new float[0], context.stops().after(prompt)));
    this.scores = new float[settings.numBeams()];
    for (int beam = 1; beam < scores.length; beam++) {
      scores[beam] = FinishedBeams.NEVER;
    }
  }

  /** How many beams' logits the next step needs; 0 when there is none. */
  public int activeBeams() {
    return done ? 0 : running.size();
  }

  public boolean isDone() {
    return done;
  }

  /**
   * One step.
   *
   * @param logits [activeBeams][vocabulary] float32, of the tokens that follow each running beam;
   *     not changed
   */
  public Step advance(float[][] logits) {
    if (logits.length != activeBeams() || done) {
      throw new IllegalArgumentException(
          logits.length + " rows of logits, expected " + activeBeams());
    }
    List<BeamCandidate> candidates = new BeamExpansion(this, logits).candidates();
    generated++;
    finished.offer(candidates, generated);
    return runOn(candidates);
  }

  private Step runOn(List<BeamCandidate> candidates) {
    TopRanks top = context.workspace().top();
    top.begin(settings.numBeams());
    for (int at = 0; at < candidates.size(); at++) {
      top.offer(TopRanks.earlierFirst(openScore(candidates.get(at)), at));
    }
    long[] best = top.descending();
    List<Beam> next = new ArrayList<>();
    float[] nextScores = new float[best.length];
    int[] parents = new int[best.length];
    int[] tokens = new int[best.length];
    for (int beam = 0; beam < best.length; beam++) {
      BeamCandidate candidate = candidates.get(TopRanks.positionOf(best[beam]));
      next.add(candidate.beam());
      nextScores[beam] = openScore(candidate);
      parents[beam] = candidate.parent();
      tokens[beam] = candidate.token();
    }
    boolean allEnd = candidates.stream().allMatch(candidate -> candidate.finish().isPresent());
    if (!candidates.isEmpty()) {
      finished.compare(nextScores[0], generated, maxNewTokens);
    }
    done = allEnd || finished.isSettled();
    running = next;
    scores = nextScores;
    return done ? new Step(new int[0], new int[0]) : new Step(parents, tokens);
  }

  /** A candidate that ended runs on only where there is no other. */
  private static float openScore(BeamCandidate candidate) {
    return candidate.score() + (candidate.finish().isPresent() ? FinishedBeams.NEVER : 0);
  }

  /**
   * The best hypotheses, best first, as many as the settings return, once done.
   *
   * @throws GenerationException if the scores allowed none
   */
  public List<BeamHypothesis> results() {
    if (!done) {
      throw new IllegalStateException("the search is not done");
    }
    List<BeamHypothesis> best = finished.best(settings.samples());
    if (best.isEmpty()) {
      throw new GenerationException(
          "no token can follow: every score is minus infinity; some setting forbids all ids");
    }
    return best;
  }

  GenerationSettings settings() {
    return settings;
  }

  Context context() {
    return context;
  }

  ScoreProcessors processors() {
    return processors;
  }

  /** The beam that scores of a given index belong to. */
  Beam running(int beam) {
    return running.get(Math.min(beam, running.size() - 1));
  }

  float[] scores() {
    return scores;
  }

  int generated() {
    return generated;
  }

  Optional<FinishReason> finishOf(int token, StopStrings.Cursor behind) {
    if (settings.isEos(token)) {
      return Optional.of(FinishReason.STOP);
    }
    if (behind.isMatch()) {
      return Optional.of(FinishReason.STOP_STRING);
    }
    return generated + 1 >= maxNewTokens ? Optional.of(FinishReason.LENGTH) : Optional.empty();
  }
}
