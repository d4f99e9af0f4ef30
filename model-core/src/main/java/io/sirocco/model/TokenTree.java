package io.sirocco.model;

/**
 * Alternatives behind a common beginning: each token of a row behind its first {@code trunk} ones
 * follows either the trunk or an earlier token of the tree, sees that path alone, and has the
 * position it would have if the path were all there is. So many continuations of one prompt cost
 * one pass, and no token is computed twice.
 */
public final class TokenTree {
  private final int trunk;
  private final int[] parents;

  /** By token of the tree. Kept, as masks ask again and again and a path can be long. */
  private final int[] positions;

  /**
   * @param trunk tokens of the beginning, at least one
   * @param parents for token {@code trunk + i} the index, within the row, of the token before it:
   *     {@code trunk - 1} or a token of the tree before {@code trunk + i}
   */
  public TokenTree(int trunk, int[] parents) {
    this.trunk = trunk;
    this.parents = parents.clone();
    this.positions = new int[parents.length];
    if (trunk < 1) {
      throw new IllegalArgumentException("a tree needs a trunk, found " + trunk + " tokens");
    }
    for (int i = 0; i < parents.length; i++) {
      if (parents[i] < trunk - 1 || parents[i] >= trunk + i) {
        throw new IllegalArgumentException(
            "token " + (trunk + i) + " of the tree cannot follow token " + parents[i]);
      }
      positions[i] = position(parents[i]) + 1;
    }
  }

  /** Tokens of the beginning. */
  int trunk() {
    return trunk;
  }

  /** Tokens behind the beginning. */
  int branching() {
    return parents.length;
  }

  /** The token before {@code token}, which is one of the tree. */
  int parent(int token) {
    return parents[token - trunk];
  }

  /** The position of the row's token number {@code token}. */
  int position(int token) {
    return token < trunk ? token : positions[token - trunk];
  }
}
