package io.sirocco.spark.exec;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Which columns of a row the engine is given.
 *
 * @param model what the model reads
 * @param key a string column that tells the row from others; random draws depend on it
 * @param labels an array of strings: the row's own candidates
 * @param adapter a string column: the name of the row's adapter, or null
 * @param hidden columns made for the engine, such as a filled template; the result does not have
 *     them
 */
public record RowColumns(
    ModelInput model,
    Optional<String> key,
    Optional<String> labels,
    Optional<String> adapter,
    List<String> hidden) {

  public RowColumns {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(labels, "labels");
    Objects.requireNonNull(adapter, "adapter");
    hidden = List.copyOf(hidden);
  }

  /** Nothing but what the model reads, all of it also in the result. */
  public static RowColumns of(ModelInput model) {
    return new RowColumns(model, Optional.empty(), Optional.empty(), Optional.empty(), List.of());
  }

  /** The same with a key. */
  public RowColumns withKey(String column) {
    return new RowColumns(model, Optional.of(column), labels, adapter, hidden);
  }

  /** The same with candidates. */
  public RowColumns withLabels(String column) {
    return new RowColumns(model, key, Optional.of(column), adapter, hidden);
  }

  /** The same with names of adapters. */
  public RowColumns withAdapter(String column) {
    return new RowColumns(model, key, labels, Optional.of(column), hidden);
  }

  /** The same, but the result does not have these columns. */
  public RowColumns hiding(String... columns) {
    return new RowColumns(model, key, labels, adapter, List.of(columns));
  }
}
