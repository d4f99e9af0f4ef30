package io.sirocco.sampling;

/** Why a row's text ends. Where several reasons meet in one token, the first of these counts. */
public enum FinishReason {
  /** The model produced one of its end-of-sequence ids. */
  STOP("stop"),
  /** The text contains a stop string. */
  STOP_STRING("stop-string"),
  /** The row has as many tokens as it may have. */
  LENGTH("length");

  private final String text;

  FinishReason(String text) {
    this.text = text;
  }

  /** As in results. */
  @Override
  public String toString() {
    return text;
  }
}
