package io.sirocco.engine;

import io.sirocco.model.TokenRow;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The labels of a row of {@link Task.Score}, as a tree behind its prompt. */
final class LabelReader {
  /** More than any list of classes; bounds what one row can ask for. */
  private static final int MOST_LABELS = 4096;

  private final Task task;
  private final int mostTokens;

  /** {@code mostTokens} that all labels of a row may have together, shared ones counted once. */
  LabelReader(Task task, int mostTokens) {
    this.task = task;
    this.mostTokens = mostTokens;
  }

  /** No labels for other tasks. */
  LabelTree read(RowRequest request, TokenRow row, Intake.Prompt prompt) throws RowRefusal {
    if (!(task instanceof Task.Score score)) {
      return LabelTree.NONE;
    }
    List<String> labels = request.labels().isEmpty() ? score.labels() : request.labels();
    check(labels);
    Intake.TextToIds continuations = prompt.continuations();
    List<int[]> ids = new ArrayList<>();
    for (String label : labels) {
      int[] tokens;
      try {
        tokens = continuations.ids(score.labelPrefix() + label);
      } catch (RuntimeException e) {
        throw new RowRefusal(
            RowErrorCode.BAD_LABELS, "label " + label + " cannot be tokenized: " + e.getMessage());
      }
      if (tokens.length == 0) {
        throw new RowRefusal(RowErrorCode.BAD_LABELS, "label " + label + " has no token");
      }
      ids.add(tokens);
    }
    LabelTree tree = LabelTree.of(labels, row, ids);
    int tokens = tree.row().length() - row.length();
    if (tokens > mostTokens) {
      throw new RowRefusal(
          RowErrorCode.BAD_LABELS,
          "the labels have "
              + tokens
              + " tokens behind the prompt, more than model.max-tokens, which is "
              + mostTokens
              + "; shorten them, or raise it");
    }
    return tree;
  }

  private static void check(List<String> labels) throws RowRefusal {
    if (labels.isEmpty() || labels.size() > MOST_LABELS) {
      throw new RowRefusal(
          RowErrorCode.BAD_LABELS, labels.size() + " labels, expected 1 to " + MOST_LABELS);
    }
    Set<String> distinct = new HashSet<>();
    for (String label : labels) {
      if (label.isBlank() || !distinct.add(label)) {
        throw new RowRefusal(
            RowErrorCode.BAD_LABELS, "label '" + label + "' is blank or occurs twice");
      }
    }
  }
}
