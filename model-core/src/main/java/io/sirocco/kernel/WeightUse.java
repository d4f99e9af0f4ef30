package io.sirocco.kernel;

/** What a weight is multiplied with, which decides the forms it may take. */
public enum WeightUse {
  /** A layer's, with activations of type T: the bulk, in the precision's own form. */
  LAYER,
  /** The language model's head, with activations of type T: never quantised. */
  HEAD,
  /** The classifier's, with activations in F32: as it is stored. */
  SCORE
}
