package io.sirocco.engine;

import java.io.Serializable;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * LoRA adapters that rows can have.
 *
 * @param folders of the adapters, by the names that rows give
 * @param everyRow the adapter of rows that name none; empty: they have none
 */
public record AdapterOptions(SortedMap<String, String> folders, String everyRow)
    implements Serializable {
  private static final String ONLY = "adapter";

  /** No adapters: all rows are the model's own. */
  public static final AdapterOptions NONE = byRow(Map.of());

  public AdapterOptions {
    Objects.requireNonNull(everyRow, "everyRow");
    folders = Collections.unmodifiableSortedMap(new TreeMap<>(folders));
    if (folders.containsKey("")) {
      throw new IllegalArgumentException("an adapter without a name");
    }
    if (!everyRow.isEmpty() && !folders.containsKey(everyRow)) {
      throw new IllegalArgumentException(everyRow + " is none of " + folders.keySet());
    }
  }

  /** One adapter, which all rows have. */
  public static AdapterOptions ofEveryRow(String folder) {
    return new AdapterOptions(new TreeMap<>(Map.of(ONLY, folder)), ONLY);
  }

  /** Adapters that rows name; a row that names none has none. */
  public static AdapterOptions byRow(Map<String, String> folders) {
    return new AdapterOptions(new TreeMap<>(folders), "");
  }

  /** The same adapters in other folders; {@code others} has the same names. */
  public AdapterOptions in(Map<String, String> others) {
    return new AdapterOptions(new TreeMap<>(others), everyRow);
  }
}
