package io.sirocco.spark.exec;

import io.sirocco.arrow.ArrowRows;
import io.sirocco.arrow.ResultOptions;
import io.sirocco.engine.EngineOptions;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * What is done with the rows of a DataFrame.
 *
 * @param engine the engine that every executor opens, with its task; its threads are an upper
 *     limit, see {@link ExecutorEngine#lease}
 * @param results which result columns there are; of the engine's task
 * @param model that the executors must find
 * @param prefix put before the name of every result column
 */
public record RowSettings(
    EngineOptions engine, ResultOptions results, PlannedModel model, String prefix) {

  public RowSettings {
    Objects.requireNonNull(engine, "engine");
    Objects.requireNonNull(results, "results");
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(prefix, "prefix");
  }

  /** Names of the result columns, without the prefix. */
  public Set<String> resultColumns() {
    return ArrowRows.resultSchema(results, model.labels()).getFields().stream()
        .map(Field::getName)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** The same with other options of the engine. */
  public RowSettings withEngine(EngineOptions other) {
    return new RowSettings(other, results, model, prefix);
  }
}
