package io.sirocco.engine;

/** Which numeric mode the model runs in. */
public enum PrecisionChoice {
  /** bfloat16 where the processor multiplies it natively, else float32; the plan says which. */
  AUTO,
  FLOAT32,
  BFLOAT16,
  /** Layers in int8: fastest, and close to bfloat16; measure it with the quality command. */
  INT8
}
