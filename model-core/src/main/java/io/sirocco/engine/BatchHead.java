package io.sirocco.engine;

import io.sirocco.kernel.Matrix;
import java.util.List;

/** What becomes of the hidden states of a batch of whole rows. */
interface BatchHead {
  /**
   * One outcome per row.
   *
   * @param residual the rows' hidden states behind the last layer, one row behind the other
   */
  List<RowOutcome> outcomes(List<Intake.Accepted> rows, Matrix residual);
}
