package io.sirocco.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Typed reading of a JSON object's fields; a field that is null counts as absent unless said. */
public record JsonFields(JsonNode object, String where) {
  private static final int LONGEST_SHOWN = 60;

  public boolean has(String key) {
    return object.hasNonNull(key);
  }

  /** The value is there, be it null. */
  public boolean mentions(String key) {
    return object.has(key);
  }

  /** An integer of at least {@code least}. */
  public int integer(String key, int fallback, int least) {
    return optionalInteger(key, least).orElse(fallback);
  }

  /** An integer of at least {@code least} that has to be there. */
  public int requiredInteger(String key, int least) {
    return optionalInteger(key, least)
        .orElseThrow(
            () ->
                new ModelException(
                    where, key + " is missing; expected an integer of " + least + " or more"));
  }

  public OptionalInt optionalInteger(String key, int least) {
    if (!has(key)) {
      return OptionalInt.empty();
    }
    JsonNode value = object.get(key);
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < least) {
      throw problem(key, "an integer of " + least + " or more");
    }
    return OptionalInt.of(value.asInt());
  }

  /** A number above {@code above}, finite as a float. */
  public double number(String key, double fallback, double above) {
    if (!has(key)) {
      return fallback;
    }
    JsonNode value = object.get(key);
    double number = value.asDouble();
    if (!value.isNumber() || !Float.isFinite((float) number) || number <= above) {
      throw problem(key, "a number above " + above);
    }
    return number;
  }

  public double requiredNumber(String key, double above) {
    if (!has(key)) {
      throw new ModelException(where, key + " is missing; expected a number above " + above);
    }
    return number(key, above, above);
  }

  public boolean flag(String key, boolean fallback) {
    if (!has(key)) {
      return fallback;
    }
    if (!object.get(key).isBoolean()) {
      throw problem(key, "true or false");
    }
    return object.get(key).asBoolean();
  }

  public Optional<String> text(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!object.get(key).isTextual()) {
      throw problem(key, "a string");
    }
    return Optional.of(object.get(key).asText());
  }

  /** A list of {@code size} positive numbers. */
  public List<Double> numbers(String key, int size) {
    JsonNode list = object.path(key);
    List<Double> numbers = new ArrayList<>();
    list.forEach(
        element -> {
          if (element.isNumber() && element.asDouble() > 0) {
            numbers.add(element.asDouble());
          }
        });
    if (!list.isArray() || list.size() != size || numbers.size() != size) {
      throw problem(key, "a list of " + size + " positive numbers");
    }
    return numbers;
  }

  /** The fields of an object-valued field; none if it is absent. */
  public JsonFields object(String key) {
    if (has(key) && !object.get(key).isObject()) {
      throw problem(key, "an object");
    }
    return new JsonFields(object.path(key), where + ": " + key);
  }

  public boolean isEmpty() {
    return object.isEmpty();
  }

  public ModelException problem(String key, String expected) {
    String found = String.valueOf(object.get(key));
    String shown =
        found.length() <= LONGEST_SHOWN ? found : found.substring(0, LONGEST_SHOWN) + "...";
    return new ModelException(where, key + " is " + shown + ", expected " + expected);
  }
}
