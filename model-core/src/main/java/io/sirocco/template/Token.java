package io.sirocco.template;

/** A piece of a template's source; of a string, its value. */
record Token(Kind kind, String text, Position at) {
  enum Kind {
    DATA("text"),
    PRINT_BEGIN("'{{'"),
    BLOCK_BEGIN("'{%'"),
    TAG_END("the end of the tag"),
    NAME("a name"),
    STRING("a string"),
    INTEGER("an integer"),
    FLOAT("a float"),
    OPERATOR("an operator"),
    END("the end of the template");

    private final String description;

    Kind(String description) {
      this.description = description;
    }

    String description() {
      return description;
    }
  }

  boolean is(Kind wanted, String wantedText) {
    return kind == wanted && text.equals(wantedText);
  }

  /** For errors. */
  String shown() {
    return switch (kind) {
      case NAME, INTEGER, FLOAT, OPERATOR -> "'" + text + "'";
      default -> kind.description();
    };
  }
}
