package io.sirocco.template;

/** What may follow {@code is}. */
enum TypeTest {
  DEFINED("defined"),
  NONE("none"),
  STRING("string");

  private final String word;

  TypeTest(String word) {
    this.word = word;
  }

  String word() {
    return word;
  }

  boolean holds(Value value) {
    return switch (this) {
      case DEFINED -> !(value instanceof Value.Undefined);
      case NONE -> value instanceof Value.None;
      case STRING -> value instanceof Text;
    };
  }
}
