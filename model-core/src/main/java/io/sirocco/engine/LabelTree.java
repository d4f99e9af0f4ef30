package io.sirocco.engine;

import io.sirocco.model.TokenRow;
import io.sirocco.model.TokenTree;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The labels of a row as a tree behind its prompt: what labels begin with in common is computed
 * once, and their last tokens, behind which nothing is asked, are not computed at all.
 *
 * @param labels as the row, or the task, names them
 * @param row the prompt and the tree
 * @param steps for each label, its tokens
 */
record LabelTree(List<String> labels, TokenRow row, List<List<Step>> steps) {
  /** No labels: other tasks. */
  static final LabelTree NONE = new LabelTree(List.of(), TokenRow.of(0), List.of());

  /**
   * One token of a label.
   *
   * @param after index, within the row, of the token it follows
   * @param id of the token
   */
  record Step(int after, int id) {}

  LabelTree {
    labels = List.copyOf(labels);
    steps = steps.stream().map(List::copyOf).toList();
  }

  /**
   * Labels behind a prompt.
   *
   * @param prompt a row without a tree
   * @param ids tokens of each label, one at least
   */
  static LabelTree of(List<String> labels, TokenRow prompt, List<int[]> ids) {
    Nodes nodes = new Nodes(prompt.length());
    List<List<Step>> steps = ids.stream().map(nodes::add).toList();
    return new LabelTree(labels, nodes.row(prompt), steps);
  }

  private static final class Nodes {
    private final int trunk;
    private final List<Integer> ids = new ArrayList<>();
    private final List<Integer> parents = new ArrayList<>();
    private final Map<Step, Integer> known = new HashMap<>();

    Nodes(int trunk) {
      this.trunk = trunk;
    }

    List<Step> add(int[] label) {
      List<Step> steps = new ArrayList<>();
      int at = trunk - 1;
      for (int i = 0; i < label.length; i++) {
        Step step = new Step(at, label[i]);
        steps.add(step);
        if (i + 1 < label.length) {
          at = known.computeIfAbsent(step, this::append);
        }
      }
      return steps;
    }

    private int append(Step step) {
      ids.add(step.id());
      parents.add(step.after());
      return trunk + ids.size() - 1;
    }

    TokenRow row(TokenRow prompt) {
      int[] all = Arrays.copyOf(prompt.ids(), trunk + ids.size());
      int[] before = new int[ids.size()];
      for (int i = 0; i < before.length; i++) {
        all[trunk + i] = ids.get(i);
        before[i] = parents.get(i);
      }
      Optional<int[]> mask = prompt.attentionMask().map(known -> extended(known, all.length));
      return new TokenRow(all, mask, Optional.of(new TokenTree(trunk, before)));
    }

    /** The tree itself is attended to. */
    private static int[] extended(int[] mask, int length) {
      int[] longer = Arrays.copyOf(mask, length);
      Arrays.fill(longer, mask.length, length, 1);
      return longer;
    }
  }
}
