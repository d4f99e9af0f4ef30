package io.sirocco.sampling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Beam search over a batch, written straight from the description of the library's: all beams from
 * the first step on, whole tables of candidates that are sorted, finished rows that run on until
 * the last row of the batch is done. Nothing in common with {@link BeamSearch} but the processors.
 */
final class ReferenceBeams {
  /** A row of a table: tokens (prompt included), score, whether it ended. */
  @SuppressWarnings("ArrayRecordComponent") // never changed once made
  private record Entry(int[] ids, float score, boolean ended) {}

  /** What is returned. */
  record Answer(List<Integer> ids, float score) {}

  private final GenerationSettings settings;
  private final Function<int[], float[]> model;
  private final int promptLength;
  private final int maxLength;
  private final int beams;
  private final SamplingWorkspace workspace = new SamplingWorkspace();

  ReferenceBeams(GenerationSettings settings, Function<int[], float[]> model, int promptLength) {
    this.settings = settings;
    this.model = model;
    this.promptLength = promptLength;
    this.maxLength = promptLength + settings.maxNewTokens(promptLength);
    this.beams = settings.numBeams();
  }

  List<List<Answer>> search(List<int[]> prompts) {
    int batch = prompts.size();
    List<List<Entry>> running = new ArrayList<>();
    List<List<Entry>> finished = new ArrayList<>();
    boolean[] hopeful = new boolean[batch];
    Arrays.fill(hopeful, true);
    for (int[] prompt : prompts) {
      running.add(
          IntStream.range(0, beams)
              .mapToObj(beam -> new Entry(prompt, beam == 0 ? 0f : -1e9f, false))
              .toList());
      finished.add(
          IntStream.range(0, beams).mapToObj(beam -> new Entry(prompt, -1e9f, false)).toList());
    }
    int length = promptLength;
    while (true) {
      boolean allStop = true;
      for (int row = 0; row < batch; row++) {
        List<Entry> candidates = candidates(running.get(row));
        allStop &= candidates.stream().allMatch(Entry::ended);
        finished.set(row, finish(finished.get(row), candidates, hopeful[row], length));
        running.set(
            row,
            best(
                candidates.stream()
                    .map(c -> new Entry(c.ids(), c.score() + (c.ended() ? -1e9f : 0f), false))
                    .toList()));
      }
      length++;
      boolean someHope = false;
      boolean allFull = true;
      for (int row = 0; row < batch; row++) {
        hopeful[row] &= canImprove(running.get(row).get(0).score(), finished.get(row), length);
        someHope |= hopeful[row];
        allFull &= finished.get(row).stream().allMatch(Entry::ended);
      }
      boolean full = allFull && settings.earlyStopping() == EarlyStopping.WHEN_FULL;
      if (!someHope || full || allStop) {
        return finished.stream().map(this::answers).toList();
      }
    }
  }

  private List<Answer> answers(List<Entry> finished) {
    return finished.stream()
        .limit(settings.samples())
        .map(e -> new Answer(newIds(e.ids()), e.score()))
        .toList();
  }

  private List<Integer> newIds(int[] ids) {
    return Arrays.stream(ids, promptLength, ids.length).boxed().toList();
  }

  private List<Entry> candidates(List<Entry> running) {
    List<Entry> all = new ArrayList<>();
    for (Entry beam : running) {
      float[] logits = model.apply(beam.ids());
      LogNormalizer normalizer = LogNormalizer.of(logits);
      float[] scores = new float[logits.length];
      for (int id = 0; id < scores.length; id++) {
        scores[id] = normalizer.logProbability(logits[id]);
      }
      ScoreProcessors.of(settings, promptLength, workspace)
          .apply(beam.ids(), beam.ids().length, scores);
      for (int id = 0; id < scores.length; id++) {
        int[] ids = Arrays.copyOf(beam.ids(), beam.ids().length + 1);
        ids[beam.ids().length] = id;
        boolean ends =
            settings.get(GenerationKey.EOS_TOKEN_ID).orElse(List.of()).contains(id)
                || ids.length >= maxLength;
        all.add(new Entry(ids, scores[id] + beam.score(), ends));
      }
    }
    int ends = settings.get(GenerationKey.EOS_TOKEN_ID).orElse(List.of()).size();
    return sorted(all).subList(0, Math.max(2, 1 + ends) * beams);
  }

  private List<Entry> finish(
      List<Entry> finished, List<Entry> candidates, boolean hopeful, int length) {
    boolean closed =
        finished.stream().allMatch(Entry::ended)
            && settings.earlyStopping() == EarlyStopping.WHEN_FULL;
    List<Entry> merged = new ArrayList<>(finished);
    for (int rank = 0; rank < candidates.size(); rank++) {
      Entry candidate = candidates.get(rank);
      boolean counts = candidate.ended() && rank < beams;
      float score = candidate.score() / power(length + 1 - promptLength);
      score += closed ? -1e9f : 0f;
      score += hopeful ? 0f : -1e9f;
      score += counts ? 0f : -1e9f;
      merged.add(new Entry(candidate.ids(), score, counts));
    }
    return best(merged);
  }

  private boolean canImprove(float open, List<Entry> finished, int length) {
    boolean never = settings.earlyStopping() == EarlyStopping.NEVER;
    int hoped = never && settings.lengthPenalty() > 0 ? maxLength : length;
    float possible = open / power(hoped - promptLength);
    float least = (float) finished.stream().mapToDouble(Entry::score).min().orElseThrow();
    return finished.stream().anyMatch(entry -> possible > (entry.ended() ? least : -1e9f));
  }

  private float power(int length) {
    return (float) Math.pow(length, settings.lengthPenalty());
  }

  private List<Entry> best(List<Entry> entries) {
    return sorted(entries).subList(0, beams);
  }

  private static List<Entry> sorted(List<Entry> entries) {
    return entries.stream().sorted(Comparator.comparing(Entry::score).reversed()).toList();
  }
}
