package io.sirocco.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Memory that the control groups of this process leave it, of version 2 and of version 1. A group's
 * limit holds for all groups beneath it, so the smallest on the way up counts.
 *
 * @param proc where the kernel tells of processes, {@code /proc}
 * @param cgroups where the groups are, {@code /sys/fs/cgroup}
 */
record ContainerMemory(Path proc, Path cgroups) {
  /** What version 1 says where nothing is limited is about 2^63. */
  private static final long UNLIMITED = 1L << 60;

  /**
   * The names of its files, and of the page cache in memory.stat: it counts, but can be dropped.
   */
  private enum Version {
    TWO("memory.max", "memory.current", "file "),
    ONE("memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache ");

    private final String limit;
    private final String used;
    private final String pageCache;

    Version(String limit, String used, String pageCache) {
      this.limit = limit;
      this.used = used;
      this.pageCache = pageCache;
    }

    private OptionalLong limit(Path group) {
      OptionalLong bytes = number(group.resolve(limit));
      return bytes.isPresent() && bytes.getAsLong() < UNLIMITED ? bytes : OptionalLong.empty();
    }
  }

  private record Group(Version version, Path folder) {}

  /** Bytes that this process and its neighbours in the container may take; empty if not limited. */
  OptionalLong limit() {
    return groups().stream()
        .map(group -> group.version.limit(group.folder))
        .flatMapToLong(OptionalLong::stream)
        .min();
  }

  /** Bytes that are left of it, the page cache counted as free; empty if not limited. */
  OptionalLong available() {
    return groups().stream()
        .map(ContainerMemory::available)
        .flatMapToLong(OptionalLong::stream)
        .min();
  }

  private static OptionalLong available(Group group) {
    OptionalLong limit = group.version.limit(group.folder);
    OptionalLong used = number(group.folder.resolve(group.version.used));
    return limit.isPresent() && used.isPresent()
        ? OptionalLong.of(Math.max(0, limit.getAsLong() - used.getAsLong() + pageCache(group)))
        : OptionalLong.empty();
  }

  /** Of this process, up to the topmost; a container often sees itself as the top. */
  private List<Group> groups() {
    List<Group> groups = new ArrayList<>();
    for (String line : lines(proc.resolve("self/cgroup"))) {
      String[] parts = line.split(":", 3);
      if (parts.length == 3 && parts[1].isEmpty()) {
        add(groups, Version.TWO, cgroups, parts[2]);
      } else if (parts.length == 3 && List.of(parts[1].split(",", -1)).contains("memory")) {
        add(groups, Version.ONE, cgroups.resolve("memory"), parts[2]);
      }
    }
    if (groups.isEmpty()) {
      groups.add(new Group(Version.TWO, cgroups));
    }
    return groups;
  }

  private static void add(List<Group> groups, Version version, Path top, String path) {
    Path folder = top.resolve(path.substring(Math.min(1, path.length()))).normalize();
    while (folder != null && folder.startsWith(top)) {
      groups.add(new Group(version, folder));
      folder = folder.getParent();
    }
    groups.add(new Group(version, top));
  }

  private static long pageCache(Group group) {
    return lines(group.folder.resolve("memory.stat")).stream()
        .filter(line -> line.startsWith(group.version.pageCache))
        .mapToLong(line -> parse(line.substring(group.version.pageCache.length())).orElse(0))
        .findFirst()
        .orElse(0);
  }

  private static OptionalLong number(Path file) {
    List<String> lines = lines(file);
    return lines.isEmpty() ? OptionalLong.empty() : parse(lines.get(0));
  }

  private static OptionalLong parse(String number) {
    try {
      return OptionalLong.of(Long.parseLong(number.trim()));
    } catch (NumberFormatException e) { // Such as max, where nothing is limited.
      return OptionalLong.empty();
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of();
    }
  }
}
