package io.sirocco.model;

/** Which hidden states of a row, behind the final norm, become its embedding. */
public enum Pooling {
  /** That of the last token that is attended to. */
  LAST,
  /** The mean over all tokens that are attended to. */
  MEAN
}
