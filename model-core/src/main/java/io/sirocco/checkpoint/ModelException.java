package io.sirocco.checkpoint;

/**
 * A model folder that cannot be used. The message says where (file, and key or tensor), what was
 * found, what was expected, and what to do about it.
 */
public class ModelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** {@code where} names the file and, where there is one, the key or tensor. */
  public ModelException(String where, String problem) {
    super(where + ": " + problem);
  }

  /** As above, with the failure that lies beneath. */
  public ModelException(String where, String problem, Throwable cause) {
    super(where + ": " + problem, cause);
  }

  /** What the other says, as another kind, or as none of its own. */
  public ModelException(ModelException other) {
    super(other.getMessage(), other);
  }
}
