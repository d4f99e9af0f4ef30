package io.sirocco.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.JsonFields;
import io.sirocco.checkpoint.ModelException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * PEFT's adapter_config.json of a LoRA adapter, with PEFT's defaults.
 *
 * @param where its file, for messages
 * @param rank R where no pattern says otherwise
 * @param alpha likewise
 * @param rslora whether the branch is scaled by alpha / √R rather than alpha / R
 * @param targets modules that have a branch; where they include heads or embeddings, PEFT may have
 *     left those out, so the file says whether there is one
 * @param excluded but for these
 * @param layers numbers of the layers that are meant; empty for all
 * @param ranks by patterns of modules, the first that matches
 * @param alphas likewise
 * @param classifier whether the classifier's weight was trained and saved
 * @param taskType as PEFT spells it, such as SEQ_CLS
 */
record AdapterConfig(
    String where,
    int rank,
    double alpha,
    boolean rslora,
    ModuleChoice targets,
    ModuleChoice excluded,
    Optional<Set<Integer>> layers,
    Map<ModulePattern, Integer> ranks,
    Map<ModulePattern, Double> alphas,
    boolean classifier,
    Optional<String> taskType) {
  private static final String SEQUENCE_CLASSIFICATION = "SEQ_CLS";
  private static final String LAYERS = "layers";
  private static final int MOST_PATTERNS = 20_000;

  /** PEFT's own names of a classifier's head; a Mistral has the first only. */
  private static final Set<String> HEADS = Set.of("score", "classifier");

  /** What PEFT trains of a Mistral if nobody says. */
  private static final Set<String> DEFAULT_TARGETS = Set.of("q_proj", "v_proj");

  /**
   * @throws ModelException naming the key, what it holds and what was expected
   */
  static AdapterConfig parse(JsonNode json, String where) {
    JsonFields fields = new JsonFields(json, where);
    UnsupportedAdapters.refuse(fields);
    Optional<String> taskType = fields.text("task_type");
    return new AdapterConfig(
        where,
        fields.integer("r", 8, 1),
        fields.number("lora_alpha", 8, 0),
        fields.flag("use_rslora", false),
        choice(fields, "target_modules").orElse(ModuleChoice.of(DEFAULT_TARGETS)),
        choice(fields, "exclude_modules").orElse(ModuleChoice.of(Set.of())),
        layers(fields),
        byPattern(
            fields, "rank_pattern", (patterns, pattern) -> patterns.requiredInteger(pattern, 1)),
        byPattern(
            fields, "alpha_pattern", (patterns, pattern) -> patterns.requiredNumber(pattern, 0)),
        classifier(fields, taskType),
        taskType);
  }

  /** Whether the module has a branch. */
  boolean targets(ModulePattern.Text module, int layer) {
    if (excluded.has(module)) {
      return false;
    }
    // PEFT looks at numbers of layers only where a list has the end of a name.
    boolean byEnd =
        targets.pattern().isEmpty() && !targets.all() && !targets.names().contains(module.name());
    return targets.has(module) && (!byEnd || layers.isEmpty() || layers.get().contains(layer));
  }

  int rank(ModulePattern.Text module) {
    return first(ranks, module).orElse(rank);
  }

  /** What a branch of that rank is multiplied by. */
  float scaling(ModulePattern.Text module, int rank) {
    double divisor = rslora ? Math.sqrt(rank) : rank;
    return (float) (first(alphas, module).orElse(alpha) / divisor);
  }

  private static <T> Optional<T> first(Map<ModulePattern, T> values, ModulePattern.Text module) {
    return values.entrySet().stream()
        .filter(entry -> entry.getKey().matchesSuffix(module))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  private static Optional<ModuleChoice> choice(JsonFields fields, String key) {
    if (!fields.has(key)) {
      return Optional.empty();
    }
    JsonNode value = fields.object().get(key);
    if (value.isTextual()) {
      return Optional.of(
          value.asText().equalsIgnoreCase("all-linear") && key.equals("target_modules")
              ? ModuleChoice.ALL_LINEAR
              : ModuleChoice.of(ModulePattern.parse(value.asText(), fields.where() + ": " + key)));
    }
    return Optional.of(ModuleChoice.of(texts(fields, key)));
  }

  private static Set<String> texts(JsonFields fields, String key) {
    JsonNode list = fields.object().path(key);
    Set<String> texts = new HashSet<>();
    list.forEach(element -> texts.add(element.isTextual() ? element.asText() : ""));
    if (fields.has(key) && (!list.isArray() || texts.contains(""))) {
      throw fields.problem(key, "a list of module names");
    }
    return texts;
  }

  private static Optional<Set<Integer>> layers(JsonFields fields) {
    String key = "layers_to_transform";
    requireLayersPattern(fields);
    if (!fields.has(key)) {
      return Optional.empty();
    }
    JsonNode value = fields.object().get(key);
    Set<Integer> layers = new HashSet<>();
    if (value.isArray()) {
      value.forEach(element -> layers.add(layer(element)));
    } else {
      layers.add(layer(value));
    }
    if (layers.contains(-1)) {
      throw fields.problem(key, "the number of a layer, or a list of them");
    }
    return layers.isEmpty() ? Optional.empty() : Optional.of(Set.copyOf(layers));
  }

  /** -1 if it is no layer's number. */
  private static int layer(JsonNode value) {
    return value.isIntegralNumber() && value.canConvertToInt() ? Math.max(-1, value.asInt()) : -1;
  }

  /** Where the layers are in the module names: a Mistral has one list of them. */
  private static void requireLayersPattern(JsonFields fields) {
    String key = "layers_pattern";
    if (!fields.has(key)) {
      return;
    }
    JsonNode value = fields.object().get(key);
    Set<String> patterns = value.isTextual() ? Set.of(value.asText()) : texts(fields, key);
    ModulePattern.Text layers =
        new ModulePattern.Text(LAYERS, new Steps(fields.where() + ": " + key));
    boolean found =
        patterns.stream()
            .limit(MOST_PATTERNS)
            .anyMatch(one -> ModulePattern.parse(one, fields.where() + ": " + key).matches(layers));
    if (!patterns.isEmpty() && !patterns.equals(Set.of("")) && !found) {
      throw fields.problem(key, "a pattern of '" + LAYERS + "', as a Mistral's are called");
    }
  }

  /** What {@code rank_pattern} or {@code alpha_pattern} says, in its order. */
  private static <T> Map<ModulePattern, T> byPattern(
      JsonFields fields, String key, BiFunction<JsonFields, String, T> value) {
    JsonFields patterns = patterns(fields, key);
    Map<ModulePattern, T> values = new LinkedHashMap<>();
    patterns
        .object()
        .fieldNames()
        .forEachRemaining(
            pattern ->
                values.put(
                    ModulePattern.parse(pattern, patterns.where()),
                    value.apply(patterns, pattern)));
    return values;
  }

  private static JsonFields patterns(JsonFields fields, String key) {
    JsonFields patterns = fields.object(key);
    if (patterns.object().size() > MOST_PATTERNS) {
      throw new ModelException(
          patterns.where(),
          "has " + patterns.object().size() + " patterns, expected at most " + MOST_PATTERNS);
    }
    return patterns;
  }

  private static boolean classifier(JsonFields fields, Optional<String> taskType) {
    Set<String> saved = texts(fields, "modules_to_save");
    for (String module : saved) {
      if (!HEADS.contains(module)) {
        throw new ModelException(
            fields.where(),
            "modules_to_save has "
                + module
                + "; of modules that were trained as a whole, only the classifier's score is"
                + " supported, no embeddings and no lm_head; merge the adapter into the model with"
                + " peft's merge_and_unload");
      }
    }
    return saved.contains("score") || taskType.filter(SEQUENCE_CLASSIFICATION::equals).isPresent();
  }
}
