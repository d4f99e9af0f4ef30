package io.sirocco.convert;

/** Hears how far a conversion is; called often, by one thread at a time. */
@FunctionalInterface
public interface ConversionListener {
  /** Hears nothing. */
  ConversionListener NONE = (done, total, file) -> {};

  /** {@code done} of {@code total} bytes are written or found complete; {@code file} is at work. */
  void at(long done, long total, String file);

  /** {@code read} of the {@code bytes} that {@code file} has were read back, and are as written. */
  default void readBack(long read, long bytes, String file) {}
}
