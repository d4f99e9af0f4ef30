package io.sirocco.model;

/**
 * Alternatives behind a common beginning: each token of a row behind its first {@code trunk} ones
 * follows either the trunk or an earlier token of the tree, sees that path alone, and has the
 * position it would have if the path were all there is. So many continuations of one prompt cost
 * one pass, and no token is computed twice.
 *
 * @param trunk tokens of the beginning, at least one
 * @param parents for token {@code trunk + i} the index, within the row, of the token before it:
 *     {@code trunk - 1} or a token of the tree before {@code trunk + i}
 */
@SuppressWarnings("ArrayRecordComponent") // an operand, never compared
public record TokenTree(int trunk, int[] parents) {

  public TokenTree {
    if (trunk < 1) {
      throw new IllegalArgumentException("a tree needs a trunk, found " + trunk + " tokens");
    }
    for (int i = 0; i < parents.length; i++) {
      if (parents[i] < trunk - 1 || parents[i] >= trunk + i) {
        throw new IllegalArgumentException(
            "token " + (trunk + i) + " of the tree cannot follow token " + parents[i]);
      }
    }
  }

  /** The token before {@code token}, which is one of the tree. */
  int parent(int token) {
    return parents[token - trunk];
  }

  /** The position of the row's token number {@code token}. */
  int position(int token) {
    int depth = 0;
    int at = token;
    while (at >= trunk) {
      at = parent(at);
      depth++;
    }
    return token < trunk ? token : trunk - 1 + depth;
  }
}
