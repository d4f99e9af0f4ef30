package io.sirocco.engine;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.kernel.JavaKernels;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.onednn.Int8Kernels;
import io.sirocco.kernel.onednn.OneDnnKernels;
import io.sirocco.kernel.onednn.OneDnnUnavailableException;
import io.sirocco.prepared.PreparedWeights;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Which kernels compute in which precision on this machine, by the options.
 *
 * @param oneDnn whether they are oneDNN's; else plain Java's
 * @param precision the numeric mode
 * @param fallback why the kernels are Java's though the options left the choice; empty otherwise
 */
public record KernelSetup(boolean oneDnn, Precision precision, Optional<String> fallback) {

  /**
   * Decides by what this machine has.
   *
   * @throws ModelException if the options insist on what this machine does not have
   */
  public static KernelSetup of(KernelChoice kernels, PrecisionChoice choice) {
    if (kernels == KernelChoice.JAVA) {
      return new KernelSetup(false, explicit(choice).orElse(Precision.FLOAT32), Optional.empty());
    }
    Precision precision =
        explicit(choice)
            .orElseGet(
                () -> OneDnnKernels.multipliesBfloat16() ? Precision.BFLOAT16 : Precision.FLOAT32);
    try {
      OneDnnKernels.check(precision);
      return new KernelSetup(true, precision, Optional.empty());
    } catch (OneDnnUnavailableException e) {
      if (kernels == KernelChoice.ONEDNN) {
        throw new ModelException(
            "kernels: onednn", e.getMessage() + "; or let kernels: auto choose", e);
      }
      return new KernelSetup(false, precision, Optional.of(e.getMessage()));
    }
  }

  /**
   * The kernels on weights as they are stored; closed by the caller, who keeps the allocator.
   *
   * @param threads that compute
   */
  public Kernels open(int threads, BufferAllocator allocator) {
    return open(threads, allocator, Optional.empty());
  }

  /**
   * The kernels; closed by the caller, who keeps the rest.
   *
   * @param threads that compute
   * @param prepared where packed weights are kept; empty: weights stay as they are stored
   */
  public Kernels open(int threads, BufferAllocator allocator, Optional<PreparedWeights> prepared) {
    if (!oneDnn) {
      return new JavaKernels(precision, threads);
    }
    try {
      return precision == Precision.INT8
          ? Int8Kernels.open(threads, allocator, prepared)
          : OneDnnKernels.open(precision, threads, allocator, prepared);
    } catch (OneDnnUnavailableException e) {
      throw new IllegalStateException("oneDNN was available a moment ago", e);
    }
  }

  /** What of the kernels can change results, for people: library and instruction set. */
  public String arithmetic() {
    return oneDnn ? OneDnnKernels.arithmetic() : "plain Java";
  }

  private static Optional<Precision> explicit(PrecisionChoice choice) {
    return switch (choice) {
      case AUTO -> Optional.empty();
      case FLOAT32 -> Optional.of(Precision.FLOAT32);
      case BFLOAT16 -> Optional.of(Precision.BFLOAT16);
      case INT8 -> Optional.of(Precision.INT8);
    };
  }
}
