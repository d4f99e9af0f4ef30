package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a tensor lies: mapped from there, if it is one that a weight of Mistral can be.
 *
 * @param reordered what a raw release has there, where its rows change places
 */
record TensorPlace(Path file, WeightFile.Entry entry, Optional<RawTensor> reordered) {
  private static final long MAX_SLAB = Integer.MAX_VALUE & ~0xfffL;

  /** As it lies in the file. */
  static TensorPlace of(Path file, WeightFile.Entry entry) {
    return new TensorPlace(file, entry, Optional.empty());
  }

  /** Bytes in the file. */
  long bytes() {
    return entry.size();
  }

  /** Bytes of this process's own memory that its rows are copied to. */
  long copiedBytes() {
    return reordered.map(RawTensor::bytes).orElse(0L);
  }

  /** The file's name, for messages. */
  String fileName() {
    return String.valueOf(file.getFileName());
  }

  /**
   * Maps the tensor, in as many pieces as its size needs.
   *
   * @param name that it is to have
   * @throws ModelException if it is of a type or rank that no weight of Mistral has
   */
  Tensor map(String name) {
    String where = fileName() + ": tensor " + name;
    ElementType type = type(where, entry);
    requireShape(where);
    long rowBytes = type.bytes() * (entry.shape().size() == 1 ? 1 : entry.shape().get(1));
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

  private void requireShape(String where) {
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
  }

  /**
   * The type of its elements.
   *
   * @throws ModelException at {@code where}, if no weight of Mistral has it
   */
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
}
