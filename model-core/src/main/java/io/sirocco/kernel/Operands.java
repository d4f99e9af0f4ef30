package io.sirocco.kernel;

import io.sirocco.checkpoint.ElementType;

/** The checks of operands that all {@link Kernels} have in common; native code makes none. */
public final class Operands {
  private Operands() {}

  /**
   * Checks {@link Kernels#linear}.
   *
   * @throws IllegalArgumentException if the operands do not fit
   */
  public static void requireLinear(Precision precision, Matrix x, Weight weight, Matrix out) {
    if (x.columns() != weight.inputs()
        || out.columns() != weight.outputs()
        || x.rows() != out.rows()
        || !allows(precision, x)
        || !allows(precision, out)) {
      throw new IllegalArgumentException(
          "product of "
              + x
              + " with ["
              + weight.outputs()
              + ", "
              + weight.inputs()
              + "] into "
              + out
              + " in "
              + precision);
    }
  }

  /**
   * Checks {@link Kernels#linearAdd}.
   *
   * @throws IllegalArgumentException if the operands do not fit
   */
  public static void requireLinearAdd(
      Precision precision, Matrix x, Weight weight, Matrix residual) {
    requireLinear(precision, x, weight, residual);
    if (residual.type() != ElementType.F32) {
      throw new IllegalArgumentException("residual " + residual + " is not F32");
    }
  }

  /**
   * Checks {@link Kernels#gatedLinear}.
   *
   * @throws IllegalArgumentException if the operands do not fit
   */
  public static void requireGatedLinear(
      Precision precision, Matrix x, Weight gate, Weight up, Matrix scratch, Matrix out) {
    requireLinear(precision, x, gate, out);
    requireLinear(precision, x, up, scratch);
    if (x.type() != precision.activation()
        || scratch.type() != precision.feedForward()
        || out.type() != precision.feedForward()) {
      throw new IllegalArgumentException(
          "gated product of " + x + " by way of " + scratch + " into " + out + " in " + precision);
    }
  }

  /**
   * Checks {@link Kernels#addLowRank}.
   *
   * @throws IllegalArgumentException if the operands do not fit
   */
  public static void requireLowRank(Precision precision, Matrix x, LowRank branch, Matrix out) {
    if (x.columns() != branch.inputs()
        || out.columns() != branch.outputs()
        || x.rows() != out.rows()
        || !allows(precision, x)
        || out.type() != ElementType.F32) {
      throw new IllegalArgumentException(
          "product of %s with an adapter [%d, %d] into %s in %s"
              .formatted(x, branch.outputs(), branch.inputs(), out, precision));
    }
  }

  /**
   * Checks {@link Kernels#activate}, and {@link Kernels#round}, whose one operand is both.
   *
   * @throws IllegalArgumentException if the operands do not fit
   */
  public static void requireElementwise(Precision precision, Matrix x, Matrix other, Matrix out) {
    if (x.type() != ElementType.F32
        || other.type() != ElementType.F32
        || !allows(precision, out)
        || x.rows() != other.rows()
        || x.rows() != out.rows()
        || x.columns() != other.columns()
        || x.columns() != out.columns()) {
      throw new IllegalArgumentException(x + " and " + other + " into " + out + " in " + precision);
    }
  }

  /**
   * Checks {@link Kernels#rmsNorm}.
   *
   * @throws IllegalArgumentException if the operands do not fit
   */
  public static void requireRmsNorm(Precision precision, Matrix x, float[] weight, Matrix out) {
    if (x.type() != ElementType.F32
        || x.rows() != out.rows()
        || weight.length != x.columns()
        || out.columns() != x.columns()
        || !allows(precision, out)) {
      throw new IllegalArgumentException("rms norm of " + x + " into " + out);
    }
  }

  /**
   * Checks the types of {@link Kernels#attend}; the block has checked the shapes.
   *
   * @throws IllegalArgumentException if a type does not fit
   */
  public static void requireAttend(Precision precision, AttentionBlock block) {
    ElementType type = precision.activation();
    if (block.queries().type() != type
        || block.keys().type() != type
        || block.values().type() != type
        || block.out().type() != type
        || block.mask().type() != ElementType.F32) {
      throw new IllegalArgumentException("attention types do not fit " + precision + ": " + block);
    }
  }

  private static boolean allows(Precision precision, Matrix matrix) {
    return matrix.type() == ElementType.F32 || matrix.type() == precision.activation();
  }
}
