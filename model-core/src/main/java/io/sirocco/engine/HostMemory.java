package io.sirocco.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** Memory that this process may still take, by the kernel's word. */
final class HostMemory {
  private static final Path MEMINFO = Path.of("/proc/meminfo");
  private static final Path CGROUP = Path.of("/sys/fs/cgroup");
  private static final String AVAILABLE = "MemAvailable:";

  private HostMemory() {}

  /** Bytes; the smaller of the machine's and the container's; unlimited where neither is told. */
  static long available() {
    return Math.min(machine().orElse(Long.MAX_VALUE), container().orElse(Long.MAX_VALUE));
  }

  private static OptionalLong machine() {
    try {
      for (String line : Files.readAllLines(MEMINFO)) {
        if (line.startsWith(AVAILABLE)) {
          String kibibytes = line.substring(AVAILABLE.length()).replace("kB", "").trim();
          return OptionalLong.of(Long.parseLong(kibibytes) << 10);
        }
      }
    } catch (IOException | NumberFormatException e) {
      return OptionalLong.empty();
    }
    return OptionalLong.empty();
  }

  /** What a control group (version 2) leaves; its page cache counts as free, it can be dropped. */
  private static OptionalLong container() {
    OptionalLong limit = number(CGROUP.resolve("memory.max"));
    OptionalLong used = number(CGROUP.resolve("memory.current"));
    if (limit.isEmpty() || used.isEmpty()) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(Math.max(0, limit.getAsLong() - used.getAsLong() + fileCache()));
  }

  private static long fileCache() {
    try {
      for (String line : Files.readAllLines(CGROUP.resolve("memory.stat"))) {
        if (line.startsWith("file ")) {
          return Long.parseLong(line.substring("file ".length()).trim());
        }
      }
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
    return 0;
  }

  private static OptionalLong number(Path file) {
    try {
      return OptionalLong.of(Long.parseLong(Files.readString(file).trim()));
    } catch (IOException | NumberFormatException e) {
      return OptionalLong.empty();
    }
  }
}
