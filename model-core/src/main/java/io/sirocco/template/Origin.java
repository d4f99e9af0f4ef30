package io.sirocco.template;

/** Who wrote a value: the model's template and tokens, or the request that is rendered. */
enum Origin {
  TEMPLATE,
  REQUEST;

  /** Of a value made from two: the request's as soon as one of them is. */
  Origin with(Origin other) {
    return this == REQUEST ? this : other;
  }
}
