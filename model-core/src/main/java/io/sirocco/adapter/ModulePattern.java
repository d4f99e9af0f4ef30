package io.sirocco.adapter;

/**
 * A regular expression of PEFT's over module names, such as {@code .*layers\.[0-3]\..*q_proj}.
 * Patterns are untrusted: instead of trying one way after the other, a step takes all positions of
 * the name that can be reached, so there is nothing to go back for, and positions are counted.
 *
 * <p>Knows Python's literals, classes, groups, alternatives, repetitions, anchors and lookaheads.
 */
final class ModulePattern {
  private final String source;
  private final Node root;

  private ModulePattern(String source, Node root) {
    this.source = source;
    this.root = root;
  }

  /** From a set of positions to those behind what it matches; bit i is position i. */
  interface Node {
    long after(Text text, long positions);
  }

  /** A module's name, and the steps that are left for all names together. */
  record Text(String name, Steps steps) {
    Text {
      if (name.length() >= Long.SIZE) {
        throw new IllegalArgumentException("too long for a module's name: " + name);
      }
      if (name.chars().anyMatch(c -> c > 127)) {
        throw new IllegalArgumentException("no module's name, it has other than ASCII: " + name);
      }
    }

    private long end() {
      return 1L << name.length();
    }
  }

  /**
   * @param where names it in errors
   * @throws io.sirocco.checkpoint.ModelException if it is none, or has what is not known here
   */
  static ModulePattern parse(String pattern, String where) {
    return new ModulePattern(pattern, new PatternParser(pattern, where).parse());
  }

  /** Python's {@code re.fullmatch}. */
  boolean matches(Text text) {
    return (root.after(text, 1) & text.end()) != 0;
  }

  /** PEFT's rule for rank_pattern and alpha_pattern: the name, or what follows a dot in it. */
  boolean matchesSuffix(Text text) {
    long starts = 1;
    for (int i = 0; i < text.name().length(); i++) {
      if (text.name().charAt(i) == '.') {
        starts |= 1L << (i + 1);
      }
    }
    return (root.after(text, starts) & text.end()) != 0;
  }

  @Override
  public String toString() {
    return source;
  }
}
