package io.sirocco.engine;

import io.sirocco.model.Adapter;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;

/** An engine's adapters, by name. */
record OpenAdapters(Map<String, Adapter> byName) {
  /** Rows with the same adapter come together, since their products are computed together. */
  static final Comparator<Intake.Accepted> TOGETHER =
      Comparator.comparing(Intake.Accepted::adapter);

  /** Of a row; none where it has none. */
  Optional<Adapter> of(Intake.Accepted row) {
    return Optional.ofNullable(byName.get(row.adapter()));
  }
}
