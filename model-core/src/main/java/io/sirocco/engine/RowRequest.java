package io.sirocco.engine;

import java.util.List;
import java.util.Objects;

/**
 * One row for the engine.
 *
 * @param input what the model reads
 * @param key tells the row from others: random draws depend on it, and on nothing else of the row.
 *     Empty: they depend on the row's tokens, so that equal prompts get equal texts
 * @param labels candidates of {@link Task.Score}; empty for the task's own
 * @param adapter name of the adapter that it is answered with, of {@link EngineOptions#adapters};
 *     empty for the one that these name for such rows, or none
 */
public record RowRequest(RowInput input, String key, List<String> labels, String adapter) {
  public RowRequest {
    Objects.requireNonNull(input, "input");
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(adapter, "adapter");
    labels = List.copyOf(labels);
  }

  /** A row that names no adapter. */
  public RowRequest(RowInput input, String key, List<String> labels) {
    this(input, key, labels, "");
  }

  /** The same answered with that adapter. */
  public RowRequest with(String otherAdapter) {
    return new RowRequest(input, key, labels, otherAdapter);
  }

  /** A row that is nothing but its input. */
  public static RowRequest of(RowInput input) {
    return new RowRequest(input, "", List.of());
  }
}
