package io.sirocco.engine;

import io.sirocco.kernel.Matrix;
import io.sirocco.model.LanguageModelHead;
import io.sirocco.model.PrefixedRow;
import io.sirocco.sampling.LogNormalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import org.apache.arrow.memory.BufferAllocator;

/** {@link Task.Score}: the log-probability of each label's tokens behind the prompt. */
final class LabelHead implements BatchHead {
  /** Tokens whose logits are held at a time: 8 MiB for a vocabulary of 32768. */
  private static final int AT_ONCE = 64;

  private final LanguageModelHead head;
  private final BufferAllocator allocator;

  LabelHead(LanguageModelHead head, BufferAllocator allocator) {
    this.head = head;
    this.allocator = allocator;
  }

  /**
   * A token whose logits are wanted.
   *
   * @param row of the batch
   * @param token of the batch
   * @param steps that follow it, each once
   */
  private record Wanted(int row, int token, Set<LabelTree.Step> steps) {}

  @Override
  public List<RowOutcome> outcomes(
      List<Intake.Accepted> rows, List<PrefixedRow> behind, Matrix residual) {
    List<Wanted> wanted = wanted(rows);
    List<Map<LabelTree.Step, Float>> logprobs = new ArrayList<>();
    rows.forEach(row -> logprobs.add(new HashMap<>()));
    for (int from = 0; from < wanted.size(); from += AT_ONCE) {
      List<Wanted> some = wanted.subList(from, Math.min(wanted.size(), from + AT_ONCE));
      List<Integer> tokens = some.stream().map(Wanted::token).toList();
      float[][] logits = head.logits(residual, tokens, allocator);
      for (int i = 0; i < logits.length; i++) {
        Map<LabelTree.Step, Float> ofRow = logprobs.get(some.get(i).row());
        LogNormalizer normalizer = LogNormalizer.of(logits[i]);
        for (LabelTree.Step step : some.get(i).steps()) {
          ofRow.put(step, normalizer.logProbability(logits[i][step.id()]));
        }
      }
    }
    List<RowOutcome> outcomes = new ArrayList<>();
    for (int row = 0; row < rows.size(); row++) {
      outcomes.add(outcome(rows.get(row), logprobs.get(row)));
    }
    return outcomes;
  }

  private static List<Wanted> wanted(List<Intake.Accepted> rows) {
    List<Wanted> wanted = new ArrayList<>();
    int firstToken = 0;
    for (int row = 0; row < rows.size(); row++) {
      Map<Integer, Set<LabelTree.Step>> byToken = new TreeMap<>();
      rows.get(row).labels().steps().stream()
          .flatMap(List::stream)
          .forEach(step -> byToken.computeIfAbsent(step.after(), t -> new HashSet<>()).add(step));
      for (Map.Entry<Integer, Set<LabelTree.Step>> token : byToken.entrySet()) {
        int place = token.getKey() - rows.get(row).shared();
        wanted.add(new Wanted(row, firstToken + place, token.getValue()));
      }
      firstToken += rows.get(row).computed();
    }
    return wanted;
  }

  private static RowOutcome outcome(Intake.Accepted row, Map<LabelTree.Step, Float> logprobs) {
    OptionalInt tokens = OptionalInt.of(row.tokenCount());
    List<String> labels = row.labels().labels();
    double[] sums = new double[labels.size()];
    for (int label = 0; label < sums.length; label++) {
      for (LabelTree.Step step : row.labels().steps().get(label)) {
        sums[label] += logprobs.get(step);
      }
      if (!Double.isFinite(sums[label])) {
        return new RowOutcome.Failed(
            RowErrorCode.NON_FINITE_LOGITS,
            "the log-probability of label " + labels.get(label) + " is " + sums[label],
            tokens);
      }
    }
    return new RowOutcome.Labelled(labels, sums, tokens, row.truncated());
  }
}
