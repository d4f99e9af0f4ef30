package io.sirocco.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * An opened model folder: config.json and the weights of model.safetensors, or of the shards that
 * model.safetensors.index.json names; where there are neither, those of pytorch_model.bin or its
 * shards; or else params.json and the safetensors of a raw release of Mistral's. Files are mapped
 * when a tensor is first asked for, one mapping per tensor; nothing of them is copied, except
 * tensors of pickled files whose elements do not lie in order, and the query and key weights of raw
 * releases, whose rows change places. Immutable to its users.
 *
 * <p>Tensors have the names of Hugging Face's MistralForCausalLM or -SequenceClassification: the
 * prefix {@code model.} is added where a file, such as a bare MistralModel's, lacks it.
 */
public final class Checkpoint {
  private static final String CONFIG = "config.json";
  private static final long MAX_CONFIG = 4L << 20;
  private static final long MAX_SLAB = Integer.MAX_VALUE & ~0xfffL;
  private static final String PREFIX = "model.";
  private static final Set<String> HEADS = Set.of("lm_head.weight", "score.weight");
  private static final String LEFTOVER = ".rotary_emb.inv_freq";

  private final Path folder;
  private final JsonNode config;
  private final String index;
  private final List<WeightFile> weights;
  private final Map<String, Place> places;
  private final Map<String, Tensor> mapped = new HashMap<>();
  private final Set<String> used = new TreeSet<>();

  /** {@code reordered}: what a raw release has there, where its rows change places. */
  private record Place(Path file, WeightFile.Entry entry, Optional<RawTensor> reordered) {
    static Place of(Path file, WeightFile.Entry entry) {
      return new Place(file, entry, Optional.empty());
    }
  }

  private Checkpoint(
      Path folder,
      JsonNode config,
      String index,
      List<WeightFile> weights,
      Map<String, Place> places) {
    this.folder = folder;
    this.config = config;
    this.index = index;
    this.weights = weights;
    this.places = places;
  }

  /**
   * Reads config.json and the headers of the weight files.
   *
   * @throws ModelException if the folder cannot be used; nothing of a pickled file is executed
   */
  public static Checkpoint open(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new ModelException(folder.toString(), "is not a folder; expected a Hugging Face model");
    }
    if (isRaw(folder)) {
      return openRaw(folder);
    }
    Path configFile = folder.resolve(CONFIG);
    if (!Files.isRegularFile(configFile)) {
      refuseOtherFormats(folder);
      throw new ModelException(configFile.toString(), "is missing; expected a Hugging Face model");
    }
    JsonNode config = Json.readObject(configFile, MAX_CONFIG);
    try {
      String index = weightsOf(folder);
      Map<String, Place> places = new TreeMap<>();
      List<WeightFile> weights =
          WeightFiles.isIndex(index)
              ? shards(folder, index, places)
              : whole(folder.resolve(index), places);
      return new Checkpoint(folder, config, index, weights, places);
    } catch (IOException e) {
      throw new ModelException(folder.toString(), "cannot be read: " + e, e);
    }
  }

  /** The folder opened. */
  public Path folder() {
    return folder;
  }

  /**
   * config.json, an object whose fields are not checked yet; of a raw release, what its params.json
   * says in those words.
   */
  public JsonNode config() {
    return config;
  }

  /** The file that {@link #config} is from. */
  public Path configFile() {
    return folder.resolve(config(index));
  }

  /**
   * Another JSON object of the folder, such as generation_config.json; empty if it has none of that
   * name.
   *
   * @throws ModelException if it cannot be read
   */
  public Optional<JsonNode> json(String name) {
    Path file = folder.resolve(name);
    return Files.isRegularFile(file)
        ? Optional.of(Json.readObject(file, MAX_CONFIG))
        : Optional.empty();
  }

  /**
   * A JSON array of the folder, such as modules.json; an empty one if it has none of that name.
   *
   * @throws ModelException if it cannot be read
   */
  public JsonNode jsonArray(String name) {
    Path file = folder.resolve(name);
    return Files.isRegularFile(file)
        ? Json.readArray(file, MAX_CONFIG)
        : JsonNodeFactory.instance.arrayNode();
  }

  /** The names of all tensors. */
  public Set<String> names() {
    return Set.copyOf(places.keySet());
  }

  /**
   * Names of tensors that nobody has asked for: unknown ones, and what old releases left behind
   * ({@code rotary_emb.inv_freq}), which is not counted.
   */
  public synchronized List<String> ignored() {
    return places.keySet().stream()
        .filter(name -> !used.contains(name) && !name.endsWith(LEFTOVER))
        .toList();
  }

  /** Bytes of the tensors that nobody has asked for, old releases' leftovers included. */
  public synchronized long ignoredBytes() {
    return places.entrySet().stream()
        .filter(place -> !used.contains(place.getKey()))
        .mapToLong(place -> place.getValue().entry().size())
        .sum();
  }

  /** Bytes of all tensors by the type of their elements, as safetensors spell it. */
  public Map<String, Long> bytesByType() {
    Map<String, Long> bytes = new TreeMap<>();
    places
        .values()
        .forEach(place -> bytes.merge(place.entry().type(), place.entry().size(), Long::sum));
    return bytes;
  }

  /** How many files hold weights. */
  public int weightFiles() {
    return weights.size();
  }

  /** Whether it is a raw release of Mistral's, opened as it is. */
  public boolean isRaw() {
    return WeightFiles.rawPlaces().contains(index);
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return places.values().stream().mapToLong(place -> place.entry().size()).sum();
  }

  /** Bytes of those that are copied into this process's own memory. */
  public long copiedBytes() {
    return places.values().stream()
        .mapToLong(place -> place.reordered().map(RawTensor::bytes).orElse(0L))
        .sum();
  }

  /**
   * The tensor of that name.
   *
   * @throws ModelException if it is there, but of a type or rank that no weight of Mistral has
   */
  public synchronized Optional<Tensor> find(String name) {
    Place place = places.get(name);
    if (place == null) {
      return Optional.empty();
    }
    used.add(name);
    return Optional.of(mapped.computeIfAbsent(name, key -> map(key, place)));
  }

  /**
   * The tensor of that name and shape.
   *
   * @throws ModelException if it is missing, or other than config.json implies
   */
  public Tensor require(String name, long... shape) {
    Tensor tensor =
        find(name)
            .orElseThrow(
                () ->
                    new ModelException(
                        files(),
                        "tensor "
                            + name
                            + " is missing; config.json implies it with shape "
                            + Arrays.toString(shape)));
    if (!Arrays.equals(shape, tensor.shape().stream().mapToLong(Long::longValue).toArray())) {
      throw new ModelException(
          fileName(places.get(name).file()),
          "tensor "
              + name
              + " has shape "
              + tensor.shape()
              + ", config.json implies "
              + Arrays.toString(shape));
    }
    return tensor;
  }

  /**
   * Tells this checkpoint from others: SHA-256, in hexadecimal, of its configuration, tokenizer and
   * template files, the headers and sizes of the weight files, and a sample of 4 KiB from the
   * beginning, the middle and the end of every tensor. A change of a few weights elsewhere goes
   * unnoticed; a fine-tuned, a requantised or a re-exported model does not.
   */
  public String fingerprint() {
    return Fingerprint.of(folder, config(index), weights);
  }

  /** Tells these weights, as they lie on this disk, from others; in hexadecimal digits. */
  public String weightsFingerprint() {
    return Fingerprint.ofWeights(weights);
  }

  /** The files that hold weights, for messages. */
  public String files() {
    return weights.size() == 1
        ? weights.get(0).file().toString()
        : folder.resolve(index).toString();
  }

  /** The name of the file beside {@code index} that tells the model's sizes. */
  private static String config(String index) {
    return WeightFiles.rawPlaces().contains(index) ? WeightFiles.RAW_PARAMS : CONFIG;
  }

  /** Hugging Face's form of a model comes first where a folder has both. */
  private static boolean isRaw(Path folder) {
    boolean converted =
        WeightFiles.places().stream().anyMatch(name -> Files.exists(folder.resolve(name)));
    return !converted && RawRelease.isThere(folder);
  }

  private static Checkpoint openRaw(Path folder) {
    RawRelease release = RawRelease.openAsItIs(folder);
    Map<String, Place> places = new TreeMap<>();
    for (RawTensor tensor : release.tensors()) {
      RawTensor.Part only = tensor.parts().get(0);
      Optional<RawTensor> reordered =
          tensor.order().isAsIs() ? Optional.empty() : Optional.of(tensor);
      places.put(tensor.name(), new Place(only.container(), only.entry(), reordered));
    }
    JsonNode config = release.config(release.type(), OptionalInt.empty());
    String index = release.weights().size() == 1 ? WeightFiles.RAW_WHOLE : WeightFiles.RAW_INDEX;
    return new Checkpoint(folder, config, index, release.weights(), places);
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

  private static List<WeightFile> whole(Path file, Map<String, Place> places) throws IOException {
    WeightFile weights = WeightFile.read(file);
    weights.entries().forEach(entry -> place(file, entry, places));
    return List.of(weights);
  }

  private static List<WeightFile> shards(Path folder, String index, Map<String, Place> places)
      throws IOException {
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

  private static void place(Path file, WeightFile.Entry entry, Map<String, Place> places) {
    String name = canonical(entry.name());
    if (places.put(name, Place.of(file, entry)) != null) {
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

  private static Tensor map(String name, Place place) {
    return map(name, place.file(), place.entry(), place.reordered());
  }

  /** A tensor as it lies in the file. */
  static Tensor map(String name, Path file, WeightFile.Entry entry) {
    return map(name, file, entry, Optional.empty());
  }

  private static Tensor map(
      String name, Path file, WeightFile.Entry entry, Optional<RawTensor> reordered) {
    String where = fileName(file) + ": tensor " + name;
    ElementType type = type(where, entry);
    int rank = entry.shape().size();
    if (rank < 1 || rank > 2 || entry.shape().contains(0L)) {
      throw new ModelException(
          where, "has shape " + entry.shape() + "; weights of Mistral are vectors or matrices");
    }
    for (long dimension : entry.shape()) {
      if (dimension > Integer.MAX_VALUE) {
        throw new ModelException(
            where, "has shape " + entry.shape() + ", beyond what is supported");
      }
    }
    long rowBytes = type.bytes() * (rank == 1 ? 1 : entry.shape().get(1));
    long slabRows = MAX_SLAB / rowBytes;
    if (slabRows == 0) {
      throw new ModelException(
          where, "has rows of " + rowBytes + " bytes, beyond what is supported");
    }
    if (reordered.isPresent()) {
      RawTensor raw = reordered.get();
      return Tensor.copied(name, type, entry.shape(), () -> RawRows.copyOf(raw, slabRows));
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      List<ByteBuffer> slabs = new ArrayList<>();
      for (long row = 0; row < entry.shape().get(0); row += slabRows) {
        long rows = Math.min(slabRows, entry.shape().get(0) - row);
        slabs.add(
            entry.isRowMajor()
                ? channel.map(MapMode.READ_ONLY, entry.offset() + row * rowBytes, rows * rowBytes)
                : StridedRows.read(where, channel, entry, type, row, Math.toIntExact(rows)));
      }
      return new Tensor(name, type, entry.shape(), slabs);
    } catch (IOException e) {
      throw new ModelException(where, "cannot be mapped: " + e, e);
    }
  }

  static ElementType type(String where, WeightFile.Entry entry) {
    return switch (entry.type()) {
      case "F32" -> ElementType.F32;
      case "F16" -> ElementType.F16;
      case "BF16" -> ElementType.BF16;
      default ->
          throw new ModelException(
              where, "has dtype " + entry.type() + ", expected F32, F16 or BF16");
    };
  }

  private static void refuseOtherFormats(Path folder) {
    try (var files = Files.list(folder)) {
      List<String> pickles =
          files
              .map(Checkpoint::fileName)
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

  private static String fileName(Path file) {
    return String.valueOf(file.getFileName());
  }
}
