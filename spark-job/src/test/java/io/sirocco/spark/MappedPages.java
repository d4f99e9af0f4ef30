package io.sirocco.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How much of a file processes have mapped into memory, as Linux counts it in {@code smaps}.
 *
 * @param resident bytes of the file's pages that the process has touched, whoever shares them
 * @param proportional the same, each page divided by the number of processes that have it: summed
 *     over all of them, the memory that the pages take
 */
public record MappedPages(long resident, long proportional) {
  private static final long KIB = 1024;

  /** Whether this system tells. */
  public static boolean known() {
    return Files.isReadable(Path.of("/proc/self/smaps"));
  }

  /** Of {@code file} in a process; nothing where that has ended, or is another user's. */
  public static MappedPages of(ProcessHandle process, Path file) {
    try {
      return parse(Files.readAllLines(Path.of("/proc/" + process.pid() + "/smaps")), file);
    } catch (IOException e) {
      return new MappedPages(0, 0);
    }
  }

  /** Of {@code file} in all processes of the host that this user may look at. */
  public static List<MappedPages> everywhere(Path file) {
    return ProcessHandle.allProcesses()
        .map(process -> of(process, file))
        .filter(pages -> pages.resident() > 0)
        .toList();
  }

  /** A mapping's first line has addresses and its file, those that follow a name and a size. */
  private static MappedPages parse(List<String> lines, Path file) {
    long resident = 0;
    long proportional = 0;
    boolean within = false;
    for (String line : lines) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        within = line.endsWith(" " + file);
      } else if (within && line.startsWith("Rss:")) {
        resident += bytes(line);
      } else if (within && line.startsWith("Pss:")) {
        proportional += bytes(line);
      }
    }
    return new MappedPages(resident, proportional);
  }

  /** {@code Rss: 12 kB}. */
  private static long bytes(String line) {
    return Long.parseLong(line.replaceAll("[^0-9]", "")) * KIB;
  }
}
