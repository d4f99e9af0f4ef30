package io.sirocco.engine;

import io.sirocco.kernel.Matrix;
import io.sirocco.model.PrefixedRow;
import java.util.List;

/** What becomes of the hidden states of a batch of whole rows. */
interface BatchHead {
  /**
   * One outcome per row.
   *
   * @param behind what was computed of the rows
   * @param residual the hidden states behind the last layer, one row behind the other
   */
  List<RowOutcome> outcomes(List<Intake.Accepted> rows, List<PrefixedRow> behind, Matrix residual);
}
