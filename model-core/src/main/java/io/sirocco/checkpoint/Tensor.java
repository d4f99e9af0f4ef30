package io.sirocco.checkpoint;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * A named weight of a checkpoint: rank 1 or 2, row-major, read-only, mapped from its file and never
 * copied. A tensor above 2 GiB consists of several mappings, cut between rows.
 */
public final class Tensor {
  private final String name;
  private final ElementType type;
  private final List<Long> shape;
  private final List<ByteBuffer> slabs;

  Tensor(String name, ElementType type, List<Long> shape, List<ByteBuffer> slabs) {
    this.name = name;
    this.type = type;
    this.shape = List.copyOf(shape);
    this.slabs = List.copyOf(slabs);
  }

  /** The name by Hugging Face's convention, whatever prefix the file has. */
  public String name() {
    return name;
  }

  public ElementType type() {
    return type;
  }

  /** One or two dimensions; for a linear layer {@code [outputs, inputs]}. */
  public List<Long> shape() {
    return shape;
  }

  /** First dimension. */
  public int rows() {
    return Math.toIntExact(shape.get(0));
  }

  /** Second dimension; 1 for a vector. */
  public int columns() {
    return shape.size() == 1 ? 1 : Math.toIntExact(shape.get(1));
  }

  /**
   * The mappings, in order: each a read-only little-endian view of whole rows, at most 2 GiB. The
   * views must stay reachable while native code uses their addresses.
   */
  public List<ByteBuffer> slabs() {
    return slabs;
  }
}
