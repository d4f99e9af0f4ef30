package io.sirocco.kernel.onednn;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.javacpp.LongPointer;

/**
 * How oneDNN likes a weight {@code [K, N]} to lie in memory: in blocks that a product of few rows
 * reads one after the other, and for int8 with sums that its products need.
 *
 * @param name of the layout, the same wherever the layout is
 * @param layout the layout itself
 */
record PackedLayout(String name, memory.desc layout) {
  /**
   * oneDNN chooses by a product's rows; what it chooses for so many is good for fewer and for more.
   */
  private static final int PROBE_ROWS = 128;

  static PackedLayout bfloat16(OneDnn library, int inputs, int outputs) {
    return probe(library, memory.data_type.bf16, memory.data_type.bf16, inputs, outputs);
  }

  /** For products of int8 activations that end in float32, with a scale for each output. */
  static PackedLayout int8(OneDnn library, int inputs, int outputs) {
    return probe(library, memory.data_type.s8, memory.data_type.f32, inputs, outputs);
  }

  private static PackedLayout probe(
      OneDnn library, memory.data_type type, memory.data_type out, int inputs, int outputs) {
    memory.desc x = new memory.desc(new long[] {PROBE_ROWS, inputs}, type, new long[] {inputs, 1});
    memory.desc any = new memory.desc(new long[] {inputs, outputs}, type, memory.format_tag.any);
    memory.desc result =
        new memory.desc(new long[] {PROBE_ROWS, outputs}, out, new long[] {outputs, 1});
    try (primitive_attr attributes = Call.attributes()) {
      try (matmul.primitive_desc product =
          new matmul.primitive_desc(library.cpu(), x, any, result, attributes, false)) {
        memory.desc layout = new memory.desc(product.weights_desc());
        return new PackedLayout(name(layout, library.describe()), layout);
      }
    }
  }

  long bytes() {
    return layout.get_size();
  }

  /** A checksum of what makes it out: sizes, strides, blocks, bytes; and of who reads it. */
  private static String name(memory.desc layout, String library) {
    String text =
        String.join(
            " ",
            library,
            String.valueOf(layout.get_size()),
            numbers(layout.get_dims()),
            numbers(layout.get_padded_dims()),
            numbers(layout.get_strides()),
            numbers(layout.get_inner_blks()),
            numbers(layout.get_inner_idxs()));
    CRC32 checksum = new CRC32();
    checksum.update(text.getBytes(StandardCharsets.US_ASCII));
    return "%08x".formatted(checksum.getValue());
  }

  private static String numbers(LongPointer values) {
    long[] all = new long[Math.toIntExact(values.limit())];
    values.get(all);
    return Arrays.toString(all);
  }
}
