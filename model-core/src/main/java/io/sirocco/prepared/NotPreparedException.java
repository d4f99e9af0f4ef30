package io.sirocco.prepared;

import io.sirocco.checkpoint.ModelException;

/** A weight that cannot be brought into another form where it is to be kept: there is no room. */
public final class NotPreparedException extends ModelException {
  private static final long serialVersionUID = 1L;

  NotPreparedException(String where, String problem, Throwable cause) {
    super(where, problem, cause);
  }

  NotPreparedException(ModelException why) {
    super(why);
  }
}
