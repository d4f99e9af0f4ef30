package io.sirocco.spark.exec;

import io.sirocco.arrow.ResultOptions;
import io.sirocco.engine.EngineOptions;
import io.sirocco.model.Labels;
import java.util.Objects;
import java.util.Optional;

/**
 * What is done with the rows of a DataFrame.
 *
 * @param engine the engine that every executor opens, with its task; its threads are an upper
 *     limit, see {@link ExecutorEngine#lease}
 * @param results which result columns there are; of the engine's task
 * @param labels of the model, as {@link io.sirocco.engine.Engine#plan} tells them
 * @param prefix put before the name of every result column
 */
public record RowSettings(
    EngineOptions engine, ResultOptions results, Optional<Labels> labels, String prefix) {

  public RowSettings {
    Objects.requireNonNull(engine, "engine");
    Objects.requireNonNull(results, "results");
    Objects.requireNonNull(labels, "labels");
    Objects.requireNonNull(prefix, "prefix");
  }
}
