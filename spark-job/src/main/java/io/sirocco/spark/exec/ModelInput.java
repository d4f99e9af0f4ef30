package io.sirocco.spark.exec;

import java.io.Serializable;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Which columns of a row the model reads. */
public sealed interface ModelInput extends Serializable {

  /** A string column that is also a column of the result. */
  record Text(String column) implements ModelInput {
    public Text {
      Objects.requireNonNull(column, "column");
    }
  }

  /** A string column made for the model, such as a filled template; the result does not have it. */
  record HiddenText(String column) implements ModelInput {
    public HiddenText {
      Objects.requireNonNull(column, "column");
    }
  }

  /**
   * Columns of integer arrays (byte to long); the result has them, too.
   *
   * @param idsColumn token ids, used as they are
   * @param masks no element, or the attention mask's column
   */
  record Tokens(String idsColumn, List<String> masks) implements ModelInput {
    public Tokens {
      Objects.requireNonNull(idsColumn, "idsColumn");
      masks = List.copyOf(masks);
      if (masks.size() > 1) {
        throw new IllegalArgumentException("at most one mask column, found " + masks);
      }
    }

    /** With or without an attention mask. */
    public static Tokens of(String idsColumn, Optional<String> maskColumn) {
      return new Tokens(idsColumn, maskColumn.stream().toList());
    }
  }
}
