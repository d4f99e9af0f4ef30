package io.sirocco.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which files hold a model's weights, and which parts of them {@link Checkpoint#open} and {@link
 * Checkpoint#fingerprint} read: for those who have to bring the files from elsewhere.
 */
public final class WeightFiles {
  /** The one file of a model that is not cut into shards; where it is, there are no shards. */
  public static final String WHOLE = "model.safetensors";

  /** Names the shards of the others. */
  public static final String INDEX = "model.safetensors.index.json";

  /** What older releases have instead of {@link #WHOLE}. */
  public static final String PICKLED = "pytorch_model.bin";

  /** What older releases have instead of {@link #INDEX}. */
  public static final String PICKLED_INDEX = "pytorch_model.bin.index.json";

  /** Sizes of Mistral's own releases, which have it instead of config.json. */
  public static final String RAW_PARAMS = "params.json";

  /** What Mistral's own releases have instead of {@link #WHOLE}. */
  public static final String RAW_WHOLE = "consolidated.safetensors";

  /** What Mistral's own releases have instead of {@link #INDEX}. */
  public static final String RAW_INDEX = "consolidated.safetensors.index.json";

  /** Says that a folder holds an adapter of PEFT's. */
  public static final String ADAPTER_CONFIG = "adapter_config.json";

  /** Bytes that an index may have. */
  public static final long MAX_INDEX = 16L << 20;

  private static final int SAMPLE = 4096;

  private WeightFiles() {}

  /**
   * A part of a file.
   *
   * @param offset of its first byte
   * @param size in bytes
   */
  public record Part(long offset, int size) {}

  /** Where weights are looked for: the first of these that a folder has says which files it is. */
  public static List<String> places() {
    return List.of(WHOLE, INDEX, PICKLED, PICKLED_INDEX);
  }

  /** As {@link #places}, for the weights of a raw release that is opened as it is. */
  public static List<String> rawPlaces() {
    return List.of(RAW_WHOLE, RAW_INDEX);
  }

  /** As {@link #places}, for the weights of an adapter. */
  public static List<String> adapterPlaces() {
    return List.of("adapter_model.safetensors", "adapter_model.bin");
  }

  /** Whether a file of {@link #places} names others. */
  public static boolean isIndex(String name) {
    return name.endsWith(".json");
  }

  /**
   * The names of the shards that {@code index} speaks of, in order; each is a plain file name.
   *
   * @throws ModelException if it is not an index of weights, or names a file outside its folder
   */
  public static List<String> shards(Path index) {
    return List.copyOf(new TreeSet<>(weightMap(index).values()));
  }

  /**
   * The parts behind the header that a fingerprint reads, in the order of the file. Of the file
   * itself only the header, and the size, need to be there.
   *
   * @throws ModelException if the header is damaged
   */
  public static List<Part> samples(Path file) {
    try {
      return samples(WeightFile.read(file));
    } catch (IOException e) {
      throw new ModelException(file.toString(), "cannot be read: " + e, e);
    }
  }

  /**
   * As {@link #samples(Path)} of a file whose bytes are elsewhere: of those, the header is read.
   */
  public static List<Part> samples(Path file, SeekableByteChannel channel) throws IOException {
    return samples(WeightFile.read(file, channel));
  }

  private static List<Part> samples(WeightFile file) {
    return file.entries().stream().flatMap(entry -> samples(entry).stream()).toList();
  }

  /** From the beginning, the middle and the end of a tensor. */
  static List<Part> samples(WeightFile.Entry entry) {
    long last = Math.max(0, entry.size() - SAMPLE);
    List<Part> parts = new ArrayList<>();
    for (long from : new long[] {0, last / 2, last}) {
      parts.add(new Part(entry.offset() + from, (int) Math.min(SAMPLE, entry.size() - from)));
    }
    return parts;
  }

  /** Tensors to the shards that hold them. */
  static Map<String, String> weightMap(Path index) {
    return weightMap(index, Json.readObject(index, MAX_INDEX));
  }

  /** As above of an index that has been read from {@code index}. */
  static Map<String, String> weightMap(Path index, JsonNode json) {
    JsonNode weightMap = json.path("weight_map");
    if (!weightMap.isObject()) {
      throw new ModelException(
          index.toString(), "weight_map is missing or not an object of file names");
    }
    Map<String, String> shards = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : weightMap.properties()) {
      String shard = field.getValue().asText();
      if (!field.getValue().isTextual() || !isPlainName(shard)) {
        throw new ModelException(
            index + ": tensor " + field.getKey(),
            "is placed in " + field.getValue() + ", expected a file name within the folder");
      }
      shards.put(field.getKey(), shard);
    }
    return shards;
  }

  private static boolean isPlainName(String shard) {
    return !shard.isEmpty()
        && shard.chars().allMatch(c -> c > ' ' && c != '/' && c != '\\' && c != ':' && c < 0x7f)
        && !shard.equals(".")
        && !shard.equals("..");
  }
}
