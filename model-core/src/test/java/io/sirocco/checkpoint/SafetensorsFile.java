package io.sirocco.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A small safetensors file in the making: named tensors in the order they were added. */
public final class SafetensorsFile {
  private final Map<String, Stored> tensors = new LinkedHashMap<>();

  private record Stored(String type, List<Long> shape, ByteBuffer bytes) {}

  /** Adds {@code values}, rounded to nearest even, as a tensor of that shape. */
  public SafetensorsFile with(String name, ElementType type, float[] values, long... shape) {
    return withBytes(name, type.name(), encode(type, values), shape);
  }

  /** Adds a tensor of these bytes, whatever type and shape say about them. */
  public SafetensorsFile withBytes(String name, String type, ByteBuffer bytes, long... shape) {
    tensors.put(name, new Stored(type, Arrays.stream(shape).boxed().toList(), bytes.slice()));
    return this;
  }

  /** The whole file. */
  public byte[] bytes() {
    StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
    int end = 0;
    for (Map.Entry<String, Stored> tensor : tensors.entrySet()) {
      Stored stored = tensor.getValue();
      header
          .append(",\"%s\":{\"dtype\":\"%s\",".formatted(tensor.getKey(), stored.type()))
          .append("\"shape\":%s,".formatted(stored.shape()))
          .append("\"data_offsets\":[%d,%d]}".formatted(end, end + stored.bytes().remaining()));
      end += stored.bytes().remaining();
    }
    byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = littleEndian(ByteBuffer.allocate(Long.BYTES + text.length + end));
    file.putLong(text.length).put(text);
    tensors.values().forEach(stored -> file.put(stored.bytes().duplicate()));
    return file.array();
  }

  /** Writes the file. */
  public void write(Path file) {
    try {
      Files.write(file, bytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes {@code folder/model.safetensors} with a config.json beside it, and opens the folder. */
  public Checkpoint open(Path folder, String config) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("config.json"), config);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    write(folder.resolve("model.safetensors"));
    return Checkpoint.open(folder);
  }

  /** A matrix in memory, without a file, cut into slabs of so many rows as huge ones are. */
  public static Tensor matrix(ElementType type, float[][] rows, int rowsPerSlab) {
    List<ByteBuffer> slabs = new ArrayList<>();
    for (int from = 0; from < rows.length; from += rowsPerSlab) {
      int count = Math.min(rowsPerSlab, rows.length - from);
      float[] flat = new float[count * rows[0].length];
      for (int row = 0; row < count; row++) {
        System.arraycopy(rows[from + row], 0, flat, row * rows[0].length, rows[0].length);
      }
      slabs.add(encode(type, flat));
    }
    return new Tensor("test", type, List.of((long) rows.length, (long) rows[0].length), slabs);
  }

  /** A direct buffer of the values, rounded to nearest even. */
  public static ByteBuffer encode(ElementType type, float[] values) {
    ByteBuffer bytes = littleEndian(ByteBuffer.allocateDirect(values.length * type.bytes()));
    for (float value : values) {
      switch (type) {
        case F32 -> bytes.putFloat(value);
        case BF16 -> bytes.putShort(toBfloat16(value));
        case F16 -> bytes.putShort(toHalf(value));
      }
    }
    return littleEndian(bytes.flip());
  }

  private static short toBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int upper = bits >>> 16;
    int lower = bits & 0xffff;
    if (Float.isNaN(value)) {
      return (short) (upper | 0x40);
    }
    boolean up = lower > 0x8000 || (lower == 0x8000 && (upper & 1) == 1);
    return (short) (up ? upper + 1 : upper);
  }

  /** To half precision, through the value's multiple of the half's unit in the last place. */
  private static short toHalf(float value) {
    int sign = Float.floatToRawIntBits(value) >>> 16 & 0x8000;
    double magnitude = Math.abs((double) value);
    if (Double.isNaN(magnitude)) {
      return (short) (sign | 0x7e00);
    }
    if (magnitude >= 65520) {
      return (short) (sign | 0x7c00);
    }
    int exponent = magnitude == 0 ? -15 : Math.max(-15, Math.getExponent(magnitude));
    int biased = exponent + 15;
    double unit = Math.scalb(1.0, Math.max(exponent, -14) - 10);
    int units = (int) Math.rint(magnitude / unit);
    // Normal numbers have an implicit leading 1024; rounding up may carry into the exponent.
    return (short) (sign | (biased == 0 ? units : (biased << 10) + units - 1024));
  }

  private static ByteBuffer littleEndian(ByteBuffer buffer) {
    return buffer.order(ByteOrder.LITTLE_ENDIAN);
  }
}
