package io.sirocco.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** Memory of this machine and this process's container, by the kernel's word. In bytes. */
public final class HostMemory {
  private static final Path PROC = Path.of("/proc");
  private static final ContainerMemory CONTAINER =
      new ContainerMemory(PROC, Path.of("/sys/fs/cgroup"));

  private HostMemory() {}

  /** What this process may still take; unlimited where nobody tells. */
  static long available() {
    return Math.min(
        machine("MemAvailable:").orElse(Long.MAX_VALUE),
        CONTAINER.available().orElse(Long.MAX_VALUE));
  }

  /** What the container may take altogether; empty where it is not limited. */
  public static OptionalLong containerLimit() {
    return CONTAINER.limit();
  }

  /** What the machine has; empty where nobody tells. */
  public static OptionalLong machineTotal() {
    return machine("MemTotal:");
  }

  private static OptionalLong machine(String name) {
    try {
      for (String line : Files.readAllLines(PROC.resolve("meminfo"))) {
        if (line.startsWith(name)) {
          String kibibytes = line.substring(name.length()).replace("kB", "").trim();
          return OptionalLong.of(Long.parseLong(kibibytes) << 10);
        }
      }
    } catch (IOException | NumberFormatException e) {
      return OptionalLong.empty();
    }
    return OptionalLong.empty();
  }
}
