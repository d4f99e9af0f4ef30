package io.sirocco.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Which files a process has open, as Linux tells it. */
public final class OpenFiles {
  private OpenFiles() {}

  /** Those of a process; none where it has ended, or is another user's. */
  public static List<Path> of(ProcessHandle process) {
    List<Path> files = new ArrayList<>();
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
      for (Path descriptor : descriptors.toList()) {
        if (Files.isSymbolicLink(descriptor)) {
          files.add(Files.readSymbolicLink(descriptor));
        }
      }
    } catch (IOException e) {
      // It ended, or closed a file meanwhile: what was seen counts.
    }
    return files;
  }
}
