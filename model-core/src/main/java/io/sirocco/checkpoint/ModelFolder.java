package io.sirocco.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a model folder says of itself: its configuration, and which tensor lies where. Of the weight
 * files, the headers have been read.
 *
 * @param config an object whose fields are not checked yet
 * @param index the file that says where weights are: one of {@link WeightFiles#places}, or of
 *     {@link WeightFiles#rawPlaces}
 * @param places of all tensors, by the name that they have in a model with a head
 */
record ModelFolder(
    Path folder,
    JsonNode config,
    String index,
    List<WeightFile> weights,
    SortedMap<String, TensorPlace> places) {
  /** Bytes that config.json, or another small file beside it, may have. */
  static final long MAX_JSON = 4L << 20;

  private static final String CONFIG = "config.json";
  private static final String PREFIX = "model.";
  private static final Set<String> HEADS = Set.of("lm_head.weight", "score.weight");

  /**
   * Reads config.json and the headers of the weight files.
   *
   * @throws ModelException if the folder cannot be used; nothing of a pickled file is executed
   */
  static ModelFolder read(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new ModelException(folder.toString(), "is not a folder; expected a Hugging Face model");
    }
    if (isRawAlone(folder)) {
      return readRaw(folder);
    }
    Path configFile = folder.resolve(CONFIG);
    if (!Files.isRegularFile(configFile)) {
      refuseOtherFormats(folder);
      throw new ModelException(configFile.toString(), "is missing; expected a Hugging Face model");
    }
    JsonNode config = Json.readObject(configFile, MAX_JSON);
    try {
      String index = weightsOf(folder);
      SortedMap<String, TensorPlace> places = new TreeMap<>();
      List<WeightFile> weights =
          WeightFiles.isIndex(index)
              ? shards(folder, index, places)
              : whole(folder.resolve(index), places);
      return new ModelFolder(folder, config, index, weights, places);
    } catch (IOException e) {
      throw new ModelException(folder.toString(), "cannot be read: " + e, e);
    }
  }

  /** Whether it is a raw release of Mistral's. */
  boolean isRaw() {
    return WeightFiles.rawPlaces().contains(index);
  }

  /** The name of the file beside {@link #index} that tells the model's sizes. */
  String configName() {
    return isRaw() ? WeightFiles.RAW_PARAMS : CONFIG;
  }

  /** Hugging Face's form of a model comes first where a folder has both. */
  private static boolean isRawAlone(Path folder) {
    boolean converted =
        WeightFiles.places().stream().anyMatch(name -> Files.exists(folder.resolve(name)));
    return !converted && RawRelease.isThere(folder);
  }

  private static ModelFolder readRaw(Path folder) {
    RawRelease release = RawRelease.openAsItIs(folder);
    SortedMap<String, TensorPlace> places = new TreeMap<>();
    for (RawTensor tensor : release.tensors()) {
      RawTensor.Part only = tensor.parts().get(0);
      Optional<RawTensor> reordered =
          tensor.order().isAsIs() ? Optional.empty() : Optional.of(tensor);
      places.put(tensor.name(), new TensorPlace(only.container(), only.entry(), reordered));
    }
    JsonNode config = release.config(release.type(), OptionalInt.empty());
    String index = release.weights().size() == 1 ? WeightFiles.RAW_WHOLE : WeightFiles.RAW_INDEX;
    return new ModelFolder(folder, config, index, release.weights(), places);
  }

  /** Which file says where the weights are. */
  private static String weightsOf(Path folder) {
    for (String name : WeightFiles.places()) {
      if (Files.isRegularFile(folder.resolve(name))) {
        return name;
      }
    }
    refuseOtherFormats(folder);
    throw new ModelException(
        folder.toString(),
        "holds no weights; expected one of " + String.join(", ", WeightFiles.places()));
  }

  private static List<WeightFile> whole(Path file, SortedMap<String, TensorPlace> places)
      throws IOException {
    WeightFile weights = WeightFile.read(file);
    weights.entries().forEach(entry -> place(file, entry, places));
    return List.of(weights);
  }

  private static List<WeightFile> shards(
      Path folder, String index, SortedMap<String, TensorPlace> places) throws IOException {
    Path indexFile = folder.resolve(index);
    Map<String, WeightFile> shards = new TreeMap<>();
    Map<String, Map<String, WeightFile.Entry>> entries = new HashMap<>();
    for (Map.Entry<String, String> field : WeightFiles.weightMap(indexFile).entrySet()) {
      String where = indexFile + ": tensor " + field.getKey();
      String shard = field.getValue();
      if (!shards.containsKey(shard)) {
        if (!Files.isRegularFile(folder.resolve(shard))) {
          throw new ModelException(where, "is placed in " + shard + ", which is missing");
        }
        WeightFile weights = WeightFile.read(folder.resolve(shard));
        shards.put(shard, weights);
        entries.put(shard, weights.byName());
      }
      WeightFile.Entry entry = entries.get(shard).get(field.getKey());
      if (entry == null) {
        throw new ModelException(where, "is placed in " + shard + ", which lacks it");
      }
      place(folder.resolve(shard), entry, places);
    }
    return List.copyOf(shards.values());
  }

  private static void place(
      Path file, WeightFile.Entry entry, SortedMap<String, TensorPlace> places) {
    String name = canonical(entry.name());
    if (places.put(name, TensorPlace.of(file, entry)) != null) {
      throw new ModelException(file + ": tensor " + entry.name(), "is there twice, as " + name);
    }
  }

  /** With the prefix of a model that has a head. */
  private static String canonical(String name) {
    boolean bare =
        name.startsWith("layers.")
            || name.startsWith("embed_tokens.")
            || name.equals("norm.weight");
    if (bare) {
      return PREFIX + name;
    }
    // A head saved under the model's prefix, as some exporters do.
    return name.startsWith(PREFIX) && HEADS.contains(name.substring(PREFIX.length()))
        ? name.substring(PREFIX.length())
        : name;
  }

  private static void refuseOtherFormats(Path folder) {
    try (var files = Files.list(folder)) {
      List<String> pickles =
          files
              .map(file -> String.valueOf(file.getFileName()))
              .filter(
                  name ->
                      name.startsWith("pytorch_model")
                          || name.startsWith("consolidated")
                          || name.endsWith(".pth"))
              .sorted()
              .toList();
      if (!pickles.isEmpty()) {
        throw new ModelException(
            folder.resolve(pickles.get(0)).toString(),
            "is no model by itself, and nothing in it was executed; expected config.json beside"
                + " pytorch_model.bin, params.json beside consolidated files, or "
                + WeightFiles.WHOLE);
      }
    } catch (IOException e) {
      throw new ModelException(folder.toString(), "cannot be listed: " + e, e);
    }
  }
}
