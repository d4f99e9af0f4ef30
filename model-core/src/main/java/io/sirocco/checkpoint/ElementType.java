package io.sirocco.checkpoint;

/** The number formats of tensors and activations, little-endian in files and in memory. */
public enum ElementType {
  /** IEEE 754 single precision. */
  F32(4),
  /** bfloat16: the upper half of a single-precision number. */
  BF16(2),
  /** IEEE 754 half precision. */
  F16(2);

  private final int bytes;

  ElementType(int bytes) {
    this.bytes = bytes;
  }

  /** Size of one element, in bytes. */
  public int bytes() {
    return bytes;
  }
}
