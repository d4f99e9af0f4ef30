package io.sirocco.model;

import java.util.List;
import java.util.Objects;

/**
 * The labels of a classifier and what its logits mean.
 *
 * @param names in label-id order
 * @param kind how logits become results
 */
public record Labels(List<String> names, Kind kind) {

  /** What the logits mean, by {@code problem_type} and the number of labels. */
  public enum Kind {
    /** One of several labels: softmax. */
    SINGLE_LABEL,
    /** Any number of labels, each by itself: sigmoid. */
    MULTI_LABEL,
    /** The logits are the values. */
    REGRESSION,
    /** A single label without a problem type: its sigmoid. */
    ONE_LABEL
  }

  public Labels {
    names = List.copyOf(names);
    Objects.requireNonNull(kind, "kind");
    if (names.isEmpty()) {
      throw new IllegalArgumentException("a classifier needs a label");
    }
  }
}
