package io.sirocco.spark.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One level of a job file. Everything is asked for by key, so that what is left over at the end is
 * unknown.
 *
 * @param path dotted, empty for the top
 */
public record ConfigSection(String path, JsonNode object, List<String> known) {

  static ConfigSection top(JsonNode root) {
    return new ConfigSection("", root, new ArrayList<>());
  }

  /** The section below {@code key}; an empty one if it is absent. */
  ConfigSection section(String key) {
    JsonNode value = node(key);
    if (!value.isMissingNode() && !value.isObject()) {
      throw problem(key, value, "a group of keys");
    }
    return new ConfigSection(dotted(key), value, new ArrayList<>());
  }

  Optional<String> text(String key) {
    JsonNode value = node(key);
    if (value.isMissingNode()) {
      return Optional.empty();
    }
    if (!value.isTextual() || value.asText().isEmpty()) {
      throw problem(key, value, "a text that is not empty");
    }
    return Optional.of(value.asText());
  }

  /** A text that may be empty. */
  String text(String key, String fallback) {
    JsonNode value = node(key);
    if (!value.isMissingNode() && !value.isTextual()) {
      throw problem(key, value, "a text");
    }
    return value.asText(fallback);
  }

  boolean flag(String key, boolean fallback) {
    JsonNode value = node(key);
    if (!value.isMissingNode() && !value.isBoolean()) {
      throw problem(key, value, "true or false");
    }
    return value.asBoolean(fallback);
  }

  Optional<Integer> count(String key, int most) {
    JsonNode value = node(key);
    if (value.isMissingNode()) {
      return Optional.empty();
    }
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.asInt() < 1
        || value.asInt() > most) {
      throw problem(key, value, "a whole number from 1 to " + most);
    }
    return Optional.of(value.asInt());
  }

  /** A whole number, 0 or more. */
  OptionalLong number(String key) {
    JsonNode value = node(key);
    if (value.isMissingNode()) {
      return OptionalLong.empty();
    }
    if (!value.isIntegralNumber() || !value.canConvertToLong() || value.asLong() < 0) {
      throw problem(key, value, "a whole number, 0 or more");
    }
    return OptionalLong.of(value.asLong());
  }

  /** A number from 0 to 1. */
  double share(String key, double fallback) {
    JsonNode value = node(key);
    if (value.isMissingNode()) {
      return fallback;
    }
    if (!value.isNumber() || !(value.asDouble() >= 0 && value.asDouble() <= 1)) {
      throw problem(key, value, "a number from 0 to 1");
    }
    return value.asDouble();
  }

  /** A duration such as 10m; zero for none. */
  Duration duration(String key, Duration fallback) {
    JsonNode value = node(key);
    if (value.isMissingNode()) {
      return fallback;
    }
    return Durations.parse(value.asText())
        .orElseThrow(() -> problem(key, value, Durations.EXPECTED));
  }

  <E extends Enum<E>> E choice(String key, E fallback, Class<E> type) {
    JsonNode value = node(key);
    if (value.isMissingNode()) {
      return fallback;
    }
    List<String> names = Arrays.stream(type.getEnumConstants()).map(ConfigSection::kebab).toList();
    int index = names.indexOf(value.asText());
    if (!value.isTextual() || index < 0) {
      throw problem(key, value, String.join(" | ", names) + Nearest.hint(value.asText(), names));
    }
    return type.getEnumConstants()[index];
  }

  /** A list of texts, or one text; not an empty list. */
  List<String> texts(String key) {
    List<String> texts = textsOrNone(key);
    if (texts.isEmpty() && !node(key).isMissingNode()) {
      throw problem(key, node(key), "a text, or a list of texts, none of them empty");
    }
    return texts;
  }

  /** A list of texts, which may be empty, or one text. */
  List<String> textsOrNone(String key) {
    JsonNode value = node(key);
    List<String> texts = new ArrayList<>();
    if (value.isTextual()) {
      texts.add(value.asText());
    } else if (value.isArray()) {
      value.forEach(element -> texts.add(element.isTextual() ? element.asText() : ""));
    } else if (!value.isMissingNode()) {
      throw problem(key, value, "a text, or a list of texts");
    }
    if (texts.stream().anyMatch(String::isEmpty)) {
      throw problem(key, value, "a text, or a list of texts, none of them empty");
    }
    return List.copyOf(texts);
  }

  /** Whatever is there. */
  Optional<JsonNode> value(String key) {
    return Optional.of(node(key)).filter(value -> !value.isMissingNode());
  }

  /** Keys of any name, with simple values. */
  Map<String, String> entries(String key) {
    JsonNode value = node(key);
    if (!value.isMissingNode() && !value.isObject()) {
      throw problem(key, value, "a group of keys");
    }
    Map<String, String> entries = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : value.properties()) {
      if (!field.getValue().isValueNode() || field.getValue().isNull()) {
        throw problem(key + "." + field.getKey(), field.getValue(), "a simple value");
      }
      entries.put(field.getKey(), field.getValue().asText());
    }
    return entries;
  }

  /** The keys that have a value, dotted. */
  List<String> given() {
    return object.properties().stream()
        .filter(field -> !field.getValue().isNull())
        .map(field -> dotted(field.getKey()))
        .toList();
  }

  /** The key, dotted, if it has a value. */
  List<String> given(String key) {
    return given().stream().filter(dotted(key)::equals).toList();
  }

  /** Refuses keys that nobody has asked for. */
  void requireNoOther() {
    object
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!known.contains(key)) {
                throw new ConfigException(
                    "unknown key "
                        + dotted(key)
                        + Nearest.to(key, known)
                            .map(near -> "; did you mean " + dotted(near) + "?")
                            .orElse("; known here: " + String.join(", ", known)));
              }
            });
  }

  String dotted(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /** A constant as job files write it: {@code MAX_TOKENS} is {@code max-tokens}. */
  public static String kebab(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Null counts as absent. */
  private JsonNode node(String key) {
    known.add(key);
    JsonNode value = object.path(key);
    return value.isNull() ? MissingNode.getInstance() : value;
  }

  ConfigException problem(String key, JsonNode value, String expected) {
    String shown = value.isTextual() ? value.asText() : value.toString();
    return new ConfigException(dotted(key), shown, expected);
  }
}
