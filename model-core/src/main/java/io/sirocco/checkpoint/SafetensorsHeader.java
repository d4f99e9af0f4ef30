package io.sirocco.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The header of a safetensors file, checked: a length of eight bytes, a JSON object of that length,
 * and ranges that cover the rest of the file exactly once.
 */
final class SafetensorsHeader {
  /** A hundred times what the largest published Mistral needs. */
  static final long MAX_HEADER = 16L << 20;

  private static final String METADATA = "__metadata__";

  private SafetensorsHeader() {}

  static WeightFile read(Path file, SeekableByteChannel channel) throws IOException {
    long fileSize = channel.size();
    if (fileSize < Long.BYTES) {
      throw new ModelException(
          file.toString(),
          "holds " + fileSize + " bytes, which is too few for a safetensors header");
    }
    long length = readFully(channel, 0, Long.BYTES).getLong();
    if (length < 0 || length > MAX_HEADER || length > fileSize - Long.BYTES) {
      throw new ModelException(
          file.toString(),
          "header length "
              + Long.toUnsignedString(length)
              + ", expected at most "
              + Math.min(MAX_HEADER, fileSize - Long.BYTES)
              + "; the file is damaged or cut off");
    }
    byte[] text = readFully(channel, Long.BYTES, (int) length).array();
    String where = file + ": header";
    JsonNode json = Json.parseObject(where, text);
    List<WeightFile.Entry> entries = new ArrayList<>();
    long dataStart = Long.BYTES + length;
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      if (!field.getKey().equals(METADATA)) {
        entries.add(entry(file, field.getKey(), field.getValue(), dataStart, fileSize));
      }
    }
    entries.sort(
        Comparator.comparingLong(WeightFile.Entry::offset)
            .thenComparingLong(WeightFile.Entry::size));
    requireGapless(file, entries, dataStart, fileSize);
    return new WeightFile(file, text, fileSize, List.copyOf(entries));
  }

  private static WeightFile.Entry entry(
      Path file, String name, JsonNode json, long dataStart, long fileSize) {
    String where = file + ": tensor " + name;
    JsonNode type = json.path("dtype");
    JsonNode offsets = json.path("data_offsets");
    if (!type.isTextual() || !json.path("shape").isArray() || !offsets.isArray()) {
      throw new ModelException(
          where, "expected an object with dtype, shape and data_offsets, found " + cut(json));
    }
    if (offsets.size() != 2) {
      throw new ModelException(
          where, "data_offsets has " + offsets.size() + " entries, expected 2");
    }
    List<Long> shape = new ArrayList<>();
    json.path("shape").forEach(dimension -> shape.add(nonNegative(where, "shape", dimension)));
    long begin = nonNegative(where, "data_offsets", offsets.get(0));
    long end = nonNegative(where, "data_offsets", offsets.get(1));
    if (begin > end || end > fileSize - dataStart) {
      throw new ModelException(
          where,
          "data_offsets ["
              + begin
              + ", "
              + end
              + "] are not within the file's "
              + (fileSize - dataStart)
              + " bytes of data; the file is damaged or cut off");
    }
    requireSize(where, type.asText(), shape, end - begin);
    return WeightFile.Entry.rowMajor(
        name, type.asText(), List.copyOf(shape), dataStart + begin, end - begin);
  }

  /** Checks types whose size is known; the others are refused if they are needed. */
  private static void requireSize(String where, String type, List<Long> shape, long size) {
    long elementBytes = elementBytes(where, type);
    long implied;
    try {
      implied = elementBytes;
      for (long dimension : shape) {
        implied = Math.multiplyExact(implied, dimension);
      }
    } catch (ArithmeticException e) {
      throw new ModelException(where, "shape " + shape + " has more elements than can be", e);
    }
    if (implied != size) {
      throw new ModelException(
          where,
          "dtype "
              + type
              + " and shape "
              + shape
              + " imply "
              + implied
              + " bytes, data_offsets "
              + size);
    }
  }

  static long elementBytes(String where, String type) {
    return switch (type) {
      case "BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0" -> 1;
      case "I16", "U16", "F16", "BF16" -> 2;
      case "I32", "U32", "F32" -> 4;
      case "I64", "U64", "F64" -> 8;
      default -> throw new ModelException(where, "dtype " + type + " is not one of safetensors'");
    };
  }

  private static void requireGapless(
      Path file, List<WeightFile.Entry> entries, long dataStart, long fileSize) {
    long expected = dataStart;
    for (WeightFile.Entry entry : entries) {
      if (entry.offset() != expected) {
        throw new ModelException(
            file + ": tensor " + entry.name(),
            "begins at byte "
                + entry.offset()
                + ", expected "
                + expected
                + ": tensors must follow one another without gap or overlap");
      }
      expected = entry.offset() + entry.size();
    }
    if (expected != fileSize) {
      throw new ModelException(
          file.toString(),
          (fileSize - expected) + " bytes follow the last tensor, which ends at " + expected);
    }
  }

  private static long nonNegative(String where, String key, JsonNode number) {
    if (!number.isIntegralNumber() || !number.canConvertToLong() || number.asLong() < 0) {
      throw new ModelException(
          where, key + " holds " + cut(number) + ", expected integers of 0 or more");
    }
    return number.asLong();
  }

  private static String cut(JsonNode json) {
    String text = json.toString();
    return text.length() <= 80 ? text : text.substring(0, 80) + "...";
  }

  private static ByteBuffer readFully(SeekableByteChannel channel, long position, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    channel.position(position);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new IOException("the file ended while it was read");
      }
    }
    return buffer.flip();
  }
}
