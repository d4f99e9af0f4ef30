package io.sirocco.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.JsonFields;
import io.sirocco.checkpoint.ModelException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Reads a classifier's labels: {@code id2label}, {@code num_labels} and {@code problem_type}. */
final class LabelFields {
  private static final int LABELS_IF_ABSENT = 2;

  /** As many as ids of six digits can tell apart; a bound on what a config makes us allocate. */
  private static final int MOST_LABELS = 1_000_000;

  private LabelFields() {}

  static Labels parse(JsonFields fields) {
    List<String> names = names(fields);
    return new Labels(names, kind(fields, names.size()));
  }

  /** A num_labels that disagrees with id2label wins and drops its names, as in transformers 5. */
  private static List<String> names(JsonFields fields) {
    List<String> named = fields.has("id2label") ? idToLabel(fields) : List.of();
    int count = fields.integer("num_labels", named.isEmpty() ? LABELS_IF_ABSENT : named.size(), 1);
    if (count > MOST_LABELS) {
      throw fields.problem("num_labels", "at most " + MOST_LABELS);
    }
    return count == named.size()
        ? named
        : IntStream.range(0, count).mapToObj(id -> "LABEL_" + id).toList();
  }

  private static List<String> idToLabel(JsonFields fields) {
    Map<Integer, String> byId = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : fields.object("id2label").object().properties()) {
      if (!field.getKey().matches("[0-9]{1,6}") || !field.getValue().isValueNode()) {
        throw fields.problem("id2label", "an object from label ids to names");
      }
      byId.put(Integer.valueOf(field.getKey()), field.getValue().asText());
    }
    List<String> names = new ArrayList<>(byId.values());
    boolean gapless = byId.keySet().stream().allMatch(id -> id < names.size());
    if (names.isEmpty() || !gapless) {
      throw fields.problem("id2label", "names for all ids from 0 on, without gaps");
    }
    if (new HashSet<>(names).size() < names.size()) {
      throw new ModelException(
          fields.where(),
          "id2label gives two labels the same name, so that results could not tell"
              + " them apart; rename one");
    }
    return names;
  }

  private static Labels.Kind kind(JsonFields fields, int count) {
    String type = fields.text("problem_type").orElse("");
    return switch (type) {
      case "" -> count == 1 ? Labels.Kind.ONE_LABEL : Labels.Kind.SINGLE_LABEL;
      case "regression" -> Labels.Kind.REGRESSION;
      case "multi_label_classification" -> Labels.Kind.MULTI_LABEL;
      case "single_label_classification" -> {
        if (count == 1) {
          throw fields.problem("problem_type", "more than one label, or another type");
        }
        yield Labels.Kind.SINGLE_LABEL;
      }
      default ->
          throw fields.problem(
              "problem_type",
              "null, regression, single_label_classification or multi_label_classification");
    };
  }
}
