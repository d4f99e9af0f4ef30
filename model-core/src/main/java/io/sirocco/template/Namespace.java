package io.sirocco.template;

import java.util.HashMap;
import java.util.Map;

/** The one mutable value: carries results out of loops. */
final class Namespace implements Value {
  private final Map<String, Value> attributes = new HashMap<>();

  void set(String name, Value value) {
    attributes.put(name, value);
  }

  Value get(String name) {
    Value value = attributes.get(name);
    return value == null ? new Undefined("the namespace has no attribute '" + name + "'") : value;
  }

  @Override
  public Origin origin() {
    return Origin.TEMPLATE;
  }

  @Override
  public String type() {
    return "Namespace";
  }
}
