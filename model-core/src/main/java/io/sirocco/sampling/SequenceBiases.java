package io.sirocco.sampling;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Adds biases to the ids that would complete sequences: sequence_bias, and bad_words_ids as biases
 * of minus infinity. A sequence longer than the row so far is left alone, even if the row could
 * complete it: the library's rule.
 */
final class SequenceBiases implements ScoreProcessor {
  /** Sequences that end with an id: first what the id gets anyway. */
  private record Target(int id, float always, List<Ending> endings) {}

  @SuppressWarnings("ArrayRecordComponent") // never changed once made
  private record Ending(int[] before, float bias) {}

  private final List<Target> targets = new ArrayList<>();

  private SequenceBiases(List<SequenceBias> biases) {
    Map<List<Integer>, Float> bySequence = new LinkedHashMap<>();
    biases.forEach(bias -> bySequence.put(bias.ids(), (float) bias.bias()));
    Map<Integer, List<List<Integer>>> byLastId = new TreeMap<>();
    for (List<Integer> ids : bySequence.keySet()) {
      byLastId.computeIfAbsent(ids.get(ids.size() - 1), last -> new ArrayList<>()).add(ids);
    }
    byLastId.forEach(
        (last, sequences) -> {
          float always = bySequence.getOrDefault(List.of(last), 0f);
          List<Ending> endings =
              sequences.stream()
                  .filter(ids -> ids.size() > 1)
                  .map(ids -> new Ending(allButLast(ids), bySequence.get(ids)))
                  .toList();
          targets.add(new Target(last, always, endings));
        });
  }

  static SequenceBiases of(List<SequenceBias> biases) {
    return new SequenceBiases(biases);
  }

  /** A word that is nothing but an end-of-sequence id is not banned. */
  static SequenceBiases banning(List<List<Integer>> words, List<Integer> eosTokenIds) {
    return new SequenceBiases(
        words.stream()
            .filter(word -> word.size() > 1 || !eosTokenIds.contains(word.get(0)))
            .map(word -> new SequenceBias(word, Double.NEGATIVE_INFINITY))
            .toList());
  }

  private static int[] allButLast(List<Integer> ids) {
    return ids.subList(0, ids.size() - 1).stream().mapToInt(Integer::intValue).toArray();
  }

  @Override
  public void apply(int[] ids, int length, float[] scores) {
    for (Target target : targets) {
      float bias = target.always();
      for (Ending ending : target.endings()) {
        if (endsWith(ids, length, ending.before())) {
          bias += ending.bias();
        }
      }
      scores[target.id()] += bias;
    }
  }

  private static boolean endsWith(int[] ids, int length, int[] before) {
    if (length <= before.length) {
      return false;
    }
    for (int back = 1; back <= before.length; back++) {
      if (ids[length - back] != before[before.length - back]) {
        return false;
      }
    }
    return true;
  }
}
