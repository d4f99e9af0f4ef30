package io.sirocco.sampling;

/** When a beam search that has found enough hypotheses ends: {@code early_stopping}. */
public enum EarlyStopping {
  /** {@code false}: when, at its present length, the best open beam is no better than the worst. */
  HEURISTIC("false"),
  /** {@code true}: as soon as there are as many hypotheses as beams. */
  WHEN_FULL("true"),
  /** {@code "never"}: when no open beam can become better at any length. */
  NEVER("never");

  private final String text;

  EarlyStopping(String text) {
    this.text = text;
  }

  /** As in a configuration. */
  @Override
  public String toString() {
    return text;
  }
}
