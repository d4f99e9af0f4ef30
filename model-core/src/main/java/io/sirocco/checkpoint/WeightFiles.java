package io.sirocco.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

  /** Bytes that an index may have. */
  public static final long MAX_INDEX = 64L << 20;

  private static final int SAMPLE = 4096;

  private WeightFiles() {}

  /**
   * A part of a file.
   *
   * @param offset of its first byte
   * @param size in bytes
   */
  public record Part(long offset, int size) {}

  /**
   * The names of the shards that {@code index} speaks of, in order; each is a plain file name.
   *
   * @throws ModelException if it is not an index of weights, or names a file outside its folder
   */
  public static List<String> shards(Path index) {
    return List.copyOf(new TreeSet<>(weightMap(index).values()));
  }

  /**
   * Bytes that a weight file's header takes, its length included; those of the length alone where
   * no file of {@code fileSize} can have such a header.
   *
   * @param begin the first eight bytes of the file, or all where it has fewer
   */
  public static int headerBytes(byte[] begin, long fileSize) {
    if (begin.length < Long.BYTES) {
      return begin.length;
    }
    long length = ByteBuffer.wrap(begin).order(ByteOrder.LITTLE_ENDIAN).getLong();
    boolean possible =
        length >= 0 && length <= SafetensorsHeader.MAX_HEADER && length <= fileSize - Long.BYTES;
    return possible ? Long.BYTES + (int) length : Long.BYTES;
  }

  /**
   * The parts behind the header that a fingerprint reads, in the order of the file. Of the file
   * itself only the header, and the size, need to be there.
   *
   * @throws ModelException if the header is damaged
   */
  public static List<Part> samples(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      List<Part> parts = new ArrayList<>();
      SafetensorsHeader.read(file, channel)
          .entries()
          .forEach(entry -> parts.addAll(samples(entry)));
      return parts;
    } catch (IOException e) {
      throw new ModelException(file.toString(), "cannot be read: " + e, e);
    }
  }

  /** From the beginning, the middle and the end of a tensor. */
  static List<Part> samples(SafetensorsHeader.Entry entry) {
    long last = Math.max(0, entry.size() - SAMPLE);
    List<Part> parts = new ArrayList<>();
    for (long from : new long[] {0, last / 2, last}) {
      parts.add(new Part(entry.offset() + from, (int) Math.min(SAMPLE, entry.size() - from)));
    }
    return parts;
  }

  /** Tensors to the shards that hold them. */
  static Map<String, String> weightMap(Path index) {
    JsonNode weightMap = Json.readObject(index, MAX_INDEX).path("weight_map");
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
