package io.sirocco.spark.exec;

import io.sirocco.arrow.ClassifyOptions;
import io.sirocco.engine.EngineOptions;
import io.sirocco.model.Labels;
import java.util.Objects;

/**
 * How a DataFrame is classified.
 *
 * @param engine the engine that every executor opens; its threads are an upper limit, see {@link
 *     ExecutorEngine#lease}
 * @param classify how logits become result columns
 * @param labels of the model, as {@link io.sirocco.engine.Engine#plan} tells them
 * @param prefix put before the name of every result column
 */
public record ClassifySettings(
    EngineOptions engine, ClassifyOptions classify, Labels labels, String prefix) {

  public ClassifySettings {
    Objects.requireNonNull(engine, "engine");
    Objects.requireNonNull(classify, "classify");
    Objects.requireNonNull(labels, "labels");
    Objects.requireNonNull(prefix, "prefix");
  }
}
