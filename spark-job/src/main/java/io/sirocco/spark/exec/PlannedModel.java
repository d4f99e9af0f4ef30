package io.sirocco.spark.exec;

import io.sirocco.engine.EnginePlan;
import io.sirocco.model.Labels;
import java.io.Serializable;
import java.util.Objects;
import java.util.Optional;

/**
 * The model that the driver has planned with: columns of the results follow from it, so every
 * executor must find the same one under its path.
 *
 * @param fingerprint as {@link EnginePlan#fingerprint}
 * @param labels as {@link EnginePlan#labels}
 */
public record PlannedModel(String fingerprint, Optional<Labels> labels) implements Serializable {

  public PlannedModel {
    Objects.requireNonNull(fingerprint, "fingerprint");
    Objects.requireNonNull(labels, "labels");
  }

  /** The model of a plan. */
  public static PlannedModel of(EnginePlan plan) {
    return new PlannedModel(plan.fingerprint(), plan.labels());
  }
}
