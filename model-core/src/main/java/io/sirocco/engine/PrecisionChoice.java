package io.sirocco.engine;

import io.sirocco.kernel.Precision;

/** Which numeric mode the model runs in. */
public enum PrecisionChoice {
  /** bfloat16 where the processor multiplies it natively, else float32; the plan says which. */
  AUTO,
  FLOAT32,
  BFLOAT16,
  /** Layers in int8: fastest, and close to bfloat16; measure it with the quality command. */
  INT8;

  /** The choice that insists on a precision. */
  static PrecisionChoice of(Precision precision) {
    return switch (precision) {
      case FLOAT32 -> FLOAT32;
      case BFLOAT16 -> BFLOAT16;
      case INT8 -> INT8;
    };
  }
}
