package io.sirocco.sampling;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.ModelException;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Generation settings as somebody gave them: a job, or a model's generation_config.json. What is
 * not there was not given. Immutable.
 */
public final class GenerationOptions implements Serializable {
  private static final long serialVersionUID = 1L;

  /** By {@link GenerationKey#name()}. */
  private final TreeMap<String, Serializable> values;

  private GenerationOptions(Map<String, Serializable> values) {
    this.values = new TreeMap<>(values);
  }

  /** Nothing given. */
  public static GenerationOptions none() {
    return new GenerationOptions(Map.of());
  }

  /**
   * Reads a model's generation_config.json (or, where there is none, its config.json). As in the
   * library, null counts as not given and unknown keys are ignored; what changes answers and is not
   * implemented here is refused by name.
   *
   * @param where names the file in errors
   */
  public static GenerationOptions fromJson(JsonNode generationConfig, String where) {
    if (!generationConfig.isObject()) {
      throw new ModelException(where, "is not a JSON object");
    }
    try {
      UnsupportedOptions.refuse(generationConfig);
      GenerationOptions options = none();
      for (GenerationKey<?> key : GenerationKey.all()) {
        if (key.ofModels() && generationConfig.hasNonNull(key.name())) {
          options = options.withJson(key, generationConfig.get(key.name()));
        }
      }
      return options;
    } catch (InvalidSettingException e) {
      throw new ModelException(where, e.getMessage(), e);
    }
  }

  /** These and one more; refused if the setting does not take this value. */
  public <T> GenerationOptions with(GenerationKey<T> key, T value) {
    TreeMap<String, Serializable> more = new TreeMap<>(values);
    more.put(key.name(), (Serializable) frozen(key.checked(value)));
    return new GenerationOptions(more);
  }

  /** Lists, and lists in lists, as ones that do not change and can be serialised. */
  private static Object frozen(Object value) {
    return value instanceof List<?> list
        ? List.copyOf(list.stream().map(GenerationOptions::frozen).toList())
        : value;
  }

  /** These and one more, from JSON; refused if the setting does not take this value. */
  public <T> GenerationOptions withJson(GenerationKey<T> key, JsonNode value) {
    return with(key, key.read(value));
  }

  /** What was given for a setting. */
  @SuppressWarnings("unchecked") // with() is the only way in, and takes the key's own type
  public <T> Optional<T> get(GenerationKey<T> key) {
    return Optional.ofNullable((T) values.get(key.name()));
  }

  boolean has(GenerationKey<?> key) {
    return values.containsKey(key.name());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GenerationOptions options && values.equals(options.values);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
