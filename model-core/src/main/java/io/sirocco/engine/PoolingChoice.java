package io.sirocco.engine;

/** Which hidden states a job asks for, or what the model's folder says. */
public enum PoolingChoice {
  AUTO,
  LAST,
  MEAN
}
