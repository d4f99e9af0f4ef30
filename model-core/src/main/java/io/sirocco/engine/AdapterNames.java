package io.sirocco.engine;

import java.util.OptionalInt;

/**
 * Which adapter a row has.
 *
 * @param options that name them
 * @param modelAnswers whether rows without one can be answered: false for a classifier's base
 *     without head
 */
record AdapterNames(AdapterOptions options, boolean modelAnswers) {
  private static final int LONGEST_SHOWN = 60;
  private static final int MOST_SHOWN = 8;

  /**
   * Its name; empty for none.
   *
   * @param tokens of the row, for the refusal
   */
  String of(RowRequest row, int tokens) throws RowRefusal {
    String name = row.adapter().isEmpty() ? options.everyRow() : row.adapter();
    if (name.isEmpty() && !modelAnswers) {
      throw refusal(
          "the row names no adapter, and the model itself has no classifier's head", tokens);
    }
    if (!name.isEmpty() && !options.folders().containsKey(name)) {
      String shown =
          name.length() <= LONGEST_SHOWN ? name : name.substring(0, LONGEST_SHOWN) + "...";
      throw refusal("there is no adapter '" + shown + "'; there are " + known(), tokens);
    }
    return name;
  }

  private String known() {
    int count = options.folders().size();
    return count == 0
        ? "none"
        : String.join(", ", options.folders().keySet().stream().limit(MOST_SHOWN).toList())
            + (count > MOST_SHOWN ? " and " + (count - MOST_SHOWN) + " more" : "");
  }

  private static RowRefusal refusal(String message, int tokens) {
    return new RowRefusal(RowErrorCode.UNKNOWN_ADAPTER, message, OptionalInt.of(tokens));
  }
}
