package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_bf16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_get_effective_cpu_isa;
import static org.bytedeco.dnnl.global.dnnl.dnnl_version;

import io.sirocco.kernel.Precision;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.zip.CRC32;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.engine;
import org.bytedeco.javacpp.Loader;

/**
 * The loaded library: one per JVM, made at first use, never unloaded.
 *
 * <p>Loading starts OpenMP, which reads its environment once. Its default is to spin while it
 * waits, which burns the cores that Spark's tasks tokenize on; so waiting is made passive first,
 * unless the user has said otherwise.
 */
final class OneDnn {
  private static final String UNAVAILABLE = "oneDNN cannot be loaded: ";

  private final engine cpu;
  private final int isa;
  private final String version;

  private OneDnn() {
    OpenMpTeam.waitPassively();
    Loader.load(org.bytedeco.dnnl.global.dnnl.class);
    this.cpu = new engine(engine.kind.cpu, 0);
    this.isa = dnnl_get_effective_cpu_isa();
    dnnl_version_t numbers = dnnl_version();
    this.version = numbers.major() + "." + numbers.minor() + "." + numbers.patch();
  }

  /** Loads on first touch; the JVM's class initialisation makes that happen once. */
  private static final class Holder {
    static final OneDnn INSTANCE = new OneDnn();
  }

  /** The library, or why there is none. */
  static OneDnn library() throws OneDnnUnavailableException {
    try {
      return Holder.INSTANCE;
    } catch (ExceptionInInitializerError e) {
      throw new OneDnnUnavailableException(UNAVAILABLE + e.getCause(), e);
    } catch (LinkageError e) {
      throw new OneDnnUnavailableException(UNAVAILABLE + e, e);
    }
  }

  engine cpu() {
    return cpu;
  }

  /**
   * Whether the processor multiplies bfloat16 itself; oneDNN's emulation is slower than float32.
   */
  boolean multipliesBfloat16() {
    return has(dnnl_cpu_isa_avx512_core_bf16);
  }

  void require(Precision precision) throws OneDnnUnavailableException {
    if (precision != Precision.FLOAT32 && !multipliesBfloat16()) {
      throw new OneDnnUnavailableException(
          "oneDNN computes in "
              + precision.name().toLowerCase(Locale.ROOT)
              + " only on processors with AVX512-BF16, found "
              + instructionSet()
              + "; use precision float32");
    }
  }

  String describe() {
    return "oneDNN " + version + ", " + instructionSet();
  }

  /** A checksum of the version and of all instruction sets that it chooses layouts by. */
  String layouts() {
    CRC32 checksum = new CRC32();
    checksum.update((version + " " + isa).getBytes(StandardCharsets.US_ASCII));
    return "%08x".formatted(checksum.getValue());
  }

  private String instructionSet() {
    if (has(dnnl_cpu_isa_avx512_core_bf16)) {
      return "AVX512-BF16";
    }
    if (has(dnnl_cpu_isa_avx512_core)) {
      return "AVX512";
    }
    return has(dnnl_cpu_isa_avx2) ? "AVX2" : "instruction set 0x" + Integer.toHexString(isa);
  }

  private boolean has(int flags) {
    return (isa & flags) == flags;
  }
}
