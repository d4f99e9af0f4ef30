package io.sirocco.adapter;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.TensorFile;
import io.sirocco.model.Projection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an adapter's file holds, by its names.
 *
 * @param prefix of the layers in module names: {@code model.}, or empty where the adapter was
 *     trained on a bare MistralModel
 * @param layers names of A and B by layer and linear layer, with gaps where there are none
 * @param score name of the classifier's weight
 */
record AdapterTensors(
    String prefix, SortedMap<Integer, Map<Projection, Names>> layers, Optional<String> score) {
  private static final String MODEL = "model.";
  private static final String BASE = "base_model.model.";
  private static final Pattern LOW_RANK =
      Pattern.compile(
          "(model\\.)?layers\\.([0-9]{1,9})\\.([a-z_]+\\.[a-z_]+)\\.lora_([AB])(\\.default)?"
              + "\\.weight");
  private static final Pattern SCORE =
      Pattern.compile("score\\.((modules_to_save\\.)?(default\\.)?)weight");

  /** The model's own weight, which some exporters leave beside the trained one. */
  private static final String UNTRAINED_SCORE = "score.original_module.weight";

  /** Names of A's and B's tensor; empty while it has not been found. */
  record Names(String a, String b) {
    Names with(boolean isA, String name) {
      return isA ? new Names(name, b) : new Names(a, name);
    }

    private String of(boolean isA) {
      return isA ? a : b;
    }
  }

  /**
   * @throws ModelException naming a tensor that is none of a LoRA adapter of a Mistral's
   */
  static AdapterTensors of(TensorFile file) {
    Optional<String> prefix = Optional.empty();
    SortedMap<Integer, Map<Projection, Names>> layers = new TreeMap<>();
    Optional<String> score = Optional.empty();
    for (String name : new TreeSet<>(file.names())) {
      String where = file.file() + ": tensor " + name;
      String path = path(name, where);
      Matcher lowRank = LOW_RANK.matcher(path);
      if (lowRank.matches()) {
        String found = lowRank.group(1) == null ? "" : MODEL;
        if (prefix.isPresent() && !prefix.get().equals(found)) {
          throw new ModelException(
              where, "does not begin as the others do, with '" + BASE + prefix.get() + "layers'");
        }
        prefix = Optional.of(found);
        place(lowRank, name, where, layers);
      } else if (SCORE.matcher(path).matches()) {
        if (score.isPresent()) {
          throw new ModelException(where, "is there twice, as " + score.get());
        }
        score = Optional.of(name);
      } else if (!path.equals(UNTRAINED_SCORE)) {
        throw new ModelException(where, unknown(path));
      }
    }
    return new AdapterTensors(prefix.orElse(MODEL), layers, score);
  }

  private static String path(String name, String where) {
    if (!name.startsWith(BASE)) {
      throw new ModelException(
          where, "is not an adapter's: expected a name that begins with " + BASE);
    }
    return name.substring(BASE.length());
  }

  private static void place(
      Matcher parts, String name, String where, Map<Integer, Map<Projection, Names>> layers) {
    Projection projection =
        Projection.of(parts.group(3))
            .orElseThrow(() -> new ModelException(where, "is of a module that no Mistral has"));
    boolean isA = parts.group(4).equals("A");
    Map<Projection, Names> layer =
        layers.computeIfAbsent(
            Integer.parseInt(parts.group(2)), number -> new EnumMap<>(Projection.class));
    Names names = layer.getOrDefault(projection, new Names("", ""));
    if (!names.of(isA).isEmpty()) {
      throw new ModelException(where, "is there twice, as " + names.of(isA));
    }
    layer.put(projection, names.with(isA, name));
  }

  private static String unknown(String path) {
    if (path.contains("lora_magnitude_vector")) {
      return "is DoRA's, which is not supported; merge the adapter into the model with peft's"
          + " merge_and_unload";
    }
    if (path.contains("lora_embedding_") || path.contains("embed_tokens")) {
      return "is of the embeddings; branches of them, and trained or resized ones, are not supported;"
          + " merge the adapter into the model with peft's merge_and_unload";
    }
    if (path.startsWith("lm_head")) {
      return "is of lm_head; a branch of a language model's head, or a trained or resized one, is not"
          + " supported; merge the adapter into the model with peft's merge_and_unload";
    }
    if (path.startsWith("score.lora_")) {
      return "is a branch of the classifier's head, which is not supported; train the head as a"
          + " whole, with score in modules_to_save, or merge the adapter into the model with peft's"
          + " merge_and_unload";
    }
    if (path.endsWith("bias")) {
      return "is a bias, which is not supported; merge the adapter into the model with peft's"
          + " merge_and_unload";
    }
    return "is not known; expected lora_A.weight and lora_B.weight of linear layers, and"
        + " score.weight";
  }

  /** The module's name as PEFT saw it. */
  String module(int layer, Projection projection) {
    return prefix + "layers." + layer + "." + projection.module();
  }

  Optional<Names> names(int layer, Projection projection) {
    return Optional.ofNullable(layers.getOrDefault(layer, Map.of()).get(projection));
  }
}
