package io.sirocco.template;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A request's JSON becomes values. */
final class Values {
  /** Levels of lists and objects in a request; those that a template adds come on top. */
  private static final int MAX_NESTING = 100;

  private static final int MAX_DEPTH = MAX_NESTING + 8;

  private Values() {}

  /** All of it is the request's. */
  static Value of(JsonNode node, Run run) {
    return of(node, 0, run);
  }

  static Value.ListValue of(List<JsonNode> nodes, Run run) {
    List<Value> values = new ArrayList<>(nodes.size());
    for (JsonNode node : nodes) {
      values.add(of(node, 1, run));
    }
    return new Value.ListValue(values, Origin.REQUEST);
  }

  /** No recursion over a value goes deeper than this. */
  static void checkDepth(int depth, Run run) {
    if (depth > MAX_DEPTH) {
      throw run.limit("a value is nested deeper than " + MAX_DEPTH + " levels");
    }
  }

  private static Value of(JsonNode node, int depth, Run run) {
    run.charge(Limits.NODE);
    if (depth > MAX_NESTING) {
      throw run.limit("the request is nested deeper than " + MAX_NESTING + " levels");
    }
    return switch (node.getNodeType()) {
      case OBJECT -> object(node, depth, run);
      case ARRAY -> {
        List<Value> values = new ArrayList<>(node.size());
        for (JsonNode element : node) {
          values.add(of(element, depth + 1, run));
        }
        yield new Value.ListValue(values, Origin.REQUEST);
      }
      case STRING -> {
        run.checkLength(node.textValue().length());
        run.charge(node.textValue().length());
        yield Text.of(node.textValue(), Origin.REQUEST);
      }
      case BOOLEAN -> new Value.Bool(Truth.when(node.booleanValue()), Origin.REQUEST);
      case NULL -> new Value.None(Origin.REQUEST);
      case NUMBER -> number(node, run);
      default ->
          throw run.badRequest("the request holds a " + node.getNodeType() + ", which JSON lacks");
    };
  }

  private static Value object(JsonNode node, int depth, Run run) {
    Map<String, Value> entries = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      run.charge(field.getKey().length());
      entries.put(field.getKey(), of(field.getValue(), depth + 1, run));
    }
    return new Value.Dict(entries);
  }

  private static Value number(JsonNode node, Run run) {
    return node.isIntegralNumber()
        ? Operators.checked(node.bigIntegerValue(), Origin.REQUEST, run)
        : new Value.Real(node.doubleValue(), Origin.REQUEST);
  }
}
