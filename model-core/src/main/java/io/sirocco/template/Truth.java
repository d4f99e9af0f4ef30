package io.sirocco.template;

/** A truth value, and how Python takes any value for one. */
enum Truth {
  FALSE,
  TRUE;

  static Truth when(boolean holds) {
    return holds ? TRUE : FALSE;
  }

  boolean holds() {
    return this == TRUE;
  }

  static boolean of(Value value) {
    if (value instanceof Value.Undefined || value instanceof Value.None) {
      return false;
    }
    if (value instanceof Value.Bool bool) {
      return bool.truth().holds();
    }
    if (value instanceof Value.Int integer) {
      return integer.number().signum() != 0;
    }
    if (value instanceof Value.Real real) {
      return real.number() != 0;
    }
    if (value instanceof Text text) {
      return !text.string().isEmpty();
    }
    if (value instanceof Value.Sequence sequence) {
      return !sequence.elements().isEmpty();
    }
    if (value instanceof Value.Dict dict) {
      return !dict.entries().isEmpty();
    }
    if (value instanceof Value.Items items) {
      return !items.dict().entries().isEmpty();
    }
    return true;
  }
}
