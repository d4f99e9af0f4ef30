package io.sirocco.sampling;

import java.io.Serializable;
import java.util.List;

/**
 * What is added to the score of a sequence's last id where the ids before it precede.
 *
 * @param ids the sequence, not empty
 * @param bias added to the score; may be infinite
 */
public record SequenceBias(List<Integer> ids, double bias) implements Serializable {
  public SequenceBias {
    ids = List.copyOf(ids);
  }

  @Override
  public String toString() {
    return "[" + ids + ", " + bias + "]";
  }
}
