package io.sirocco.template;

import java.util.Iterator;

/** One run of a {@code for} over the elements that its condition accepts. */
final class Loop {
  private final Iterator<Scope> elements;
  private long index = -1;

  /** Each scope has the loop's variables set. */
  Loop(Iterator<Scope> elements) {
    this.elements = elements;
  }

  boolean hasNext() {
    return elements.hasNext();
  }

  /** Moves on to the next element. */
  Scope next() {
    index++;
    Scope scope = elements.next();
    scope.enter(this);
    return scope;
  }

  /** What templates may ask of {@code loop}. */
  enum Field {
    INDEX0("index0"),
    INDEX("index"),
    FIRST("first"),
    LAST("last");

    private final String word;

    Field(String word) {
      this.word = word;
    }

    String word() {
      return word;
    }
  }

  Value get(Field field) {
    return switch (field) {
      case INDEX0 -> Value.Int.of(index, Origin.TEMPLATE);
      case INDEX -> Value.Int.of(index + 1, Origin.TEMPLATE);
      case FIRST -> new Value.Bool(Truth.when(index == 0), Origin.TEMPLATE);
      case LAST -> new Value.Bool(Truth.when(!elements.hasNext()), Origin.TEMPLATE);
    };
  }
}
