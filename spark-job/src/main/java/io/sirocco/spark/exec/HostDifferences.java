package io.sirocco.spark.exec;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.PrecisionChoice;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What differs between hosts, and what does not fit on one. */
final class HostDifferences {
  private HostDifferences() {}

  static SortedSet<String> precisions(List<HostReport> hosts) {
    return hosts.stream()
        .map(host -> host.engine().precision())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The option by its name in a report. */
  static PrecisionChoice choice(String precision) {
    return PrecisionChoice.valueOf(precision.toUpperCase(Locale.ROOT));
  }

  /**
   * The result with a note for each difference.
   *
   * @param first the hosts as they were before one precision was chosen for all
   * @throws ModelException if there is a difference, and differences are refused
   */
  static Preflight.Result judged(
      Preflight.Result result, List<HostReport> first, Preflight.Differences differences) {
    List<String> notes = new ArrayList<>();
    if (precisions(first).size() > 1) {
      notes.add(
          "hosts choose different precisions ("
              + by(first, host -> host.engine().precision())
              + "): float32 is taken on all of them");
    }
    if (result.hosts().stream().map(host -> host.engine().arithmetic()).distinct().count() > 1) {
      String text =
          "hosts compute with different kernels ("
              + by(result.hosts(), host -> host.engine().arithmetic())
              + "): the same row may get answers that differ within rounding";
      if (differences == Preflight.Differences.REFUSE) {
        throw new ModelException("model.require-identical", text);
      }
      notes.add(text);
    }
    notes.addAll(result.notes());
    return new Preflight.Result(result.hosts(), result.unreached(), notes, result.engine());
  }

  /** Such as {@code bfloat16 on a, b; float32 on c}; a few hosts of each. */
  private static String by(List<HostReport> hosts, Function<HostReport, String> what) {
    Map<String, TreeSet<String>> names = new TreeMap<>();
    for (HostReport host : hosts) {
      names.computeIfAbsent(what.apply(host), key -> new TreeSet<>()).add(host.place().host());
    }
    return names.entrySet().stream()
        .map(entry -> entry.getKey() + " on " + HostReport.some(entry.getValue()))
        .collect(Collectors.joining("; "));
  }

  /** Where heap, native memory and weights are more than container or machine have. */
  static List<String> memoryNotes(List<HostReport> hosts) {
    List<String> notes = new ArrayList<>();
    for (HostReport host : hosts) {
      HostReport.Memory memory = host.memory();
      note(
          host.place().toString(),
          new Need(memory.heapMax() + memory.owned(), memory.weightsMapped()),
          new Supply("the container's limit", memory.limit()),
          notes);
    }
    Map<String, List<HostReport>> byHost =
        hosts.stream()
            .collect(
                Collectors.groupingBy(
                    host -> host.place().host(), TreeMap::new, Collectors.toList()));
    byHost.forEach((name, executors) -> machineNote(name, executors, notes));
    return notes.stream().distinct().toList();
  }

  /**
   * Bytes.
   *
   * @param owned heap and native memory
   * @param mapped weights, which the page cache should hold
   */
  private record Need(long owned, long mapped) {}

  private record Supply(String name, long bytes) {}

  private static void machineNote(String name, List<HostReport> executors, List<String> notes) {
    long owned =
        executors.stream()
            .map(HostReport::memory)
            .mapToLong(memory -> memory.heapMax() + memory.owned())
            .sum();
    HostReport.Memory any = executors.get(0).memory();
    note(
        name + " (" + executors.size() + (executors.size() == 1 ? " executor)" : " executors)"),
        new Need(owned, any.weightsMapped()),
        new Supply("the machine's memory", any.machine()),
        notes);
  }

  private static void note(String where, Need need, Supply supply, List<String> notes) {
    if (need.owned() > supply.bytes()) {
      notes.add(
          "%s: heap and native memory may come to %s, %s is %s; the process may be killed when both are used"
              .formatted(where, gib(need.owned()), supply.name(), gib(supply.bytes())));
    } else if (need.owned() + need.mapped() > supply.bytes()) {
      notes.add(
          "%s: heap and native memory may come to %s, the weights are %s, %s is %s; if the page"
                  .formatted(
                      where,
                      gib(need.owned()),
                      gib(need.mapped()),
                      supply.name(),
                      gib(supply.bytes()))
              + " cache cannot hold the weights, they are read from disk again and again");
    }
  }

  private static String gib(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
