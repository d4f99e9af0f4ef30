package io.sirocco.kernel.onednn;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.kernel.Int8;
import io.sirocco.kernel.NativeMemory;
import io.sirocco.prepared.PreparedWeights;
import java.nio.ByteBuffer;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.util.MemoryUtil;

/** Quantises weights, output by output, and keeps them packed where prepared weights are kept. */
final class Int8WeightStore {
  private static final int ALIGNMENT = 64;

  private final OneDnn library;
  private final BufferAllocator allocator;
  private final PreparedWeights prepared;
  private final PackedLayouts layouts;

  Int8WeightStore(
      OneDnn library, OpenMpTeam team, BufferAllocator allocator, PreparedWeights prepared) {
    this.library = library;
    this.layouts = new PackedLayouts(team, (in, out) -> PackedLayout.int8(library, in, out));
    this.allocator = allocator;
    this.prepared = prepared;
  }

  Int8Weight weight(Tensor tensor) {
    int inputs = tensor.columns();
    int outputs = tensor.rows();
    PackedLayout layout = layouts.of(inputs, outputs);
    long scalesAt = (layout.bytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    long size = scalesAt + (long) outputs * Float.BYTES;
    if (size > Integer.MAX_VALUE) {
      throw new ModelException(
          tensor.name(),
          "has %d values; int8 takes weights below 2 GiB: use bfloat16"
              .formatted((long) inputs * outputs));
    }
    PreparedWeights.Bytes bytes =
        prepared.get(
            tensor.name() + ".int8-" + layout.name(),
            size,
            into -> quantize(tensor, layout, into, scalesAt));
    HugePages.advise(bytes.address(), size);
    return new Int8Weight(
        outputs,
        inputs,
        layout,
        bytes.address(),
        bytes.address() + scalesAt,
        bytes.owner(),
        bytes.ownBytes());
  }

  private void quantize(Tensor tensor, PackedLayout layout, ByteBuffer into, long scalesAt) {
    int inputs = tensor.columns();
    try (ArrowBuf plain = NativeMemory.allocate(allocator, (long) tensor.rows() * inputs)) {
      float[] row = new float[inputs];
      byte[] quantized = new byte[inputs];
      for (int n = 0; n < tensor.rows(); n++) {
        tensor.readRow(n, row);
        float scale = Int8.scale(row);
        Int8.quantize(row, scale, quantized);
        plain.setBytes((long) n * inputs, quantized);
        into.putFloat(Math.toIntExact(scalesAt + (long) n * Float.BYTES), scale);
      }
      Packing.int8(
          library.cpu(),
          inputs,
          tensor.rows(),
          plain.memoryAddress(),
          layout,
          MemoryUtil.getByteBufferAddress(into));
    }
  }
}
