package io.sirocco.spark.exec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** What Linux tells of this machine's processor. */
final class HostProcessor {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");

  /** Those that matrix products differ by; x86-64 has flags, ARM has Features. */
  private static final List<String> RELEVANT =
      List.of(
          "avx2",
          "avx512f",
          "avx512_vnni",
          "avx512_bf16",
          "amx_bf16",
          "amx_int8",
          "asimd",
          "bf16",
          "i8mm",
          "sve");

  private HostProcessor() {}

  /** The maker's name for it; the architecture where there is none. */
  static String model() {
    return values("model name").findFirst().orElse(System.getProperty("os.arch"));
  }

  static List<String> features() {
    Set<String> all =
        Set.copyOf(
            Stream.concat(values("flags"), values("Features"))
                .findFirst()
                .map(flags -> List.of(flags.split("\\s+")))
                .orElse(List.of()));
    return RELEVANT.stream().filter(all::contains).toList();
  }

  private static Stream<String> values(String name) {
    try {
      return Files.readAllLines(CPUINFO).stream()
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(line.indexOf(':') + 1).strip());
    } catch (IOException e) {
      return Stream.empty();
    }
  }
}
