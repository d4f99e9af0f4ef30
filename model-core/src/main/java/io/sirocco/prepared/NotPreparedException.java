package io.sirocco.prepared;

import io.sirocco.checkpoint.ModelException;

/**
 * A weight that cannot be kept in another form where it is to be: there is no room, or the folder
 * cannot be used.
 */
public final class NotPreparedException extends ModelException {
  private static final long serialVersionUID = 1L;

  NotPreparedException(String where, String problem, Throwable cause) {
    super(where, problem, cause);
  }

  NotPreparedException(ModelException why) {
    super(why);
  }
}
