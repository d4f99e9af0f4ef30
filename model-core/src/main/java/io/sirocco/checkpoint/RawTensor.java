package io.sirocco.checkpoint;

import java.nio.file.Path;
import java.util.List;

/**
 * A weight of a raw release under its Hugging Face name and with its Hugging Face shape: of one
 * tensor, or of the parts of one, with rows in Hugging Face's order. Nothing is read yet; {@link
 * RawRows} does.
 *
 * @param name Hugging Face's
 * @param rawName the release's
 * @param type of the elements, the same in all parts
 * @param shape of the whole; one or two dimensions
 * @param order of the rows
 * @param joined how the parts make the whole
 * @param parts at least one
 */
public record RawTensor(
    String name,
    String rawName,
    ElementType type,
    List<Long> shape,
    RowOrder order,
    Joined joined,
    List<Part> parts) {

  public RawTensor {
    shape = List.copyOf(shape);
    parts = List.copyOf(parts);
  }

  /** How parts make the whole. */
  public enum Joined {
    /** Each part has rows. */
    BY_ROWS,
    /** Each part has columns of every row. */
    BY_COLUMNS,
    /** Each part has all. */
    REPLICATED
  }

  /**
   * Which row of the release a row is.
   *
   * @param headDim rows of a head, whose even rows come first, then the odd ones; 0: rows stay
   *     where they are
   */
  public record RowOrder(int headDim) {
    static final RowOrder AS_IS = new RowOrder(0);

    boolean isAsIs() {
      return headDim == 0;
    }

    /** Rotary embedding turns neighbours in the release, halves of a head in Hugging Face. */
    long rawRow(long row) {
      if (headDim == 0) {
        return row;
      }
      long within = row % headDim;
      long half = headDim / 2;
      return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    }
  }

  /** Where a part is: in {@code container}, a file or an archive, which {@code shown} tells. */
  record Part(Path shown, Path container, WeightFile.Entry entry) {}

  /** First dimension. */
  public long rows() {
    return shape.get(0);
  }

  /** Elements of a row; 1 for a vector. */
  public long columns() {
    return shape.size() == 1 ? 1 : shape.get(1);
  }

  /** Bytes of a row, in the release's type. */
  public long rowBytes() {
    return columns() * type.bytes();
  }

  /** Bytes of all elements, in the release's type. */
  public long bytes() {
    return rows() * rowBytes();
  }

  /** For messages: file and name. */
  public String where() {
    return parts.get(0).shown() + ": tensor " + rawName;
  }
}
