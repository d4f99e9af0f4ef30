package io.sirocco.engine;

import io.sirocco.engine.RowOutcome.Failed;
import java.util.OptionalInt;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What becomes of a row whose computation failed though it was alone. As a rule it is an answer,
 * like that of any bad row. It is the engine's fault where the memory that its plan promises to
 * every row is gone, and where one row after the other fails: a broken engine must not turn all
 * rows of a job into failed ones.
 */
final class LoneFailures {
  /** So many rows in a row, with none between them that was computed, are not bad luck. */
  static final int MOST = 32;

  private static final Logger LOG = LoggerFactory.getLogger(LoneFailures.class);

  private final Workspace workspace;
  private int inARow;

  /**
   * Memory for the activations.
   *
   * @param allocator theirs alone, a child of the engine's
   * @param planned bytes that they may come to need
   */
  record Workspace(BufferAllocator allocator, long planned) {
    private boolean isThere() {
      return allocator.getHeadroom() + allocator.getAllocatedMemory() >= planned;
    }
  }

  LoneFailures(Workspace workspace) {
    this.workspace = workspace;
  }

  /** A row, or a batch of them, was computed. */
  void forget() {
    inARow = 0;
  }

  /**
   * What the row gets.
   *
   * @throws EngineFailedException if the engine is to blame
   */
  Failed outcome(Intake.Accepted row, RuntimeException e) {
    if (e instanceof EngineFailedException failed) {
      throw failed;
    }
    boolean outOfMemory = e instanceof OutOfMemoryException;
    if (outOfMemory && !workspace.isThere()) {
      throw new EngineFailedException(
          "the workspace of "
              + workspace.planned()
              + " bytes that was planned is not there any more: "
              + e.getMessage(),
          e);
    }
    inARow++;
    if (inARow >= MOST) {
      throw new EngineFailedException(
          inARow + " rows have failed one after the other, each alone; the last one with " + e, e);
    }
    LOG.warn("a row of {} tokens failed", row.row().length(), e);
    RowErrorCode code = outOfMemory ? RowErrorCode.OUT_OF_MEMORY : RowErrorCode.ENGINE_ERROR;
    return new Failed(code, String.valueOf(e), OptionalInt.of(row.tokenCount()));
  }
}
