package io.sirocco.spark.exec;

import io.sirocco.engine.EnginePlan;
import io.sirocco.model.Labels;
import io.sirocco.spark.store.ModelSource;
import java.io.Serializable;
import java.util.Objects;
import java.util.Optional;

/**
 * The model that the driver has planned with: columns of the results follow from it, so every
 * executor must find the same one.
 *
 * @param source where they find it
 * @param fingerprint as {@link EnginePlan#fingerprint}
 * @param labels as {@link EnginePlan#labels}
 */
public record PlannedModel(ModelSource source, String fingerprint, Optional<Labels> labels)
    implements Serializable {

  public PlannedModel {
    Objects.requireNonNull(source, "source");
    Objects.requireNonNull(fingerprint, "fingerprint");
    Objects.requireNonNull(labels, "labels");
  }

  /**
   * What to say of a host that finds another model; empty if it is the planned one.
   *
   * @param planned its fingerprint
   * @param found the host's
   */
  static Optional<String> difference(String name, String planned, String found) {
    return found.equals(planned)
        ? Optional.empty()
        : Optional.of(
            name
                + " has the fingerprint "
                + found
                + " here, "
                + planned
                + " on the driver; model.path must hold the same model on every host, and adapters likewise");
  }

  /** The model of a plan, which was made with that of {@code source}. */
  public static PlannedModel of(ModelSource source, EnginePlan plan) {
    return new PlannedModel(source, plan.fingerprint(), plan.labels());
  }
}
