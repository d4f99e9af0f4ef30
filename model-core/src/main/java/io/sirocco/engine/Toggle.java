package io.sirocco.engine;

/** Yes, no, or what the model's folder says. */
public enum Toggle {
  AUTO,
  TRUE,
  FALSE
}
