package io.sirocco.convert;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.RawTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A safetensors file to be written: byte for byte what the safetensors library writes of the same
 * tensors.
 *
 * @param file its name
 * @param weights by their place in the file
 */
record Shard(String file, List<Weight> weights) {
  private static final int ALIGNMENT = 8;

  /**
   * A tensor of the file.
   *
   * @param raw where its numbers come from
   * @param type that they are written in
   */
  record Weight(RawTensor raw, ElementType type) {
    long bytes() {
      return raw.rows() * raw.columns() * type.bytes();
    }
  }

  /**
   * Cuts tensors into files, in their order, none above {@code maxBytes} unless one tensor is.
   *
   * @param type of all; empty: each keeps its own
   */
  static List<Shard> of(List<RawTensor> tensors, Optional<ElementType> type, long maxBytes) {
    List<List<Weight>> files = new ArrayList<>();
    long bytes = Long.MAX_VALUE;
    for (RawTensor raw : tensors) {
      Weight weight = new Weight(raw, type.orElse(raw.type()));
      if (files.isEmpty() || weight.bytes() > maxBytes - bytes) {
        files.add(new ArrayList<>());
        bytes = 0;
      }
      files.get(files.size() - 1).add(weight);
      bytes += weight.bytes();
    }
    List<Shard> shards = new ArrayList<>();
    for (List<Weight> weights : files) {
      weights.sort(
          Comparator.<Weight>comparingInt(weight -> -weight.type().bytes())
              .thenComparing(weight -> weight.raw().name()));
      shards.add(new Shard(name(shards.size() + 1, files.size()), List.copyOf(weights)));
    }
    return shards;
  }

  private static String name(int number, int of) {
    return of == 1
        ? "model.safetensors"
        : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", number, of);
  }

  /** Of all tensors. */
  long bytes() {
    return weights.stream().mapToLong(Weight::bytes).sum();
  }

  /** Of the file. */
  long fileBytes() {
    return header().remaining() + bytes();
  }

  /** What precedes the tensors: its length, and JSON that ends at a multiple of eight. */
  ByteBuffer header() {
    ObjectNode header = JsonNodeFactory.instance.objectNode();
    header.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (Weight weight : weights) {
      ObjectNode tensor = header.putObject(weight.raw().name());
      tensor.put("dtype", weight.type().name());
      weight.raw().shape().forEach(tensor.putArray("shape")::add);
      tensor.putArray("data_offsets").add(offset).add(offset + weight.bytes());
      offset += weight.bytes();
    }
    byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
    int length = (text.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    ByteBuffer bytes =
        ByteBuffer.allocate(Long.BYTES + length).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    bytes.put(text);
    while (bytes.hasRemaining()) {
      bytes.put((byte) ' ');
    }
    return bytes.flip();
  }
}
