package io.sirocco.spark.store;

/**
 * A model has not arrived, for reasons that may pass, such as a network that fails: worth another
 * attempt, which goes on from what has arrived.
 */
public final class FetchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  FetchException(String model, Exception problem) {
    super(
        model
            + ": could not be fetched: "
            + problem
            + "; what has arrived is kept for the next attempt",
        problem);
  }
}
