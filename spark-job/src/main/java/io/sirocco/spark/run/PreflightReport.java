package io.sirocco.spark.run;

import io.sirocco.checkpoint.ByteCount;
import io.sirocco.spark.exec.HostReport;
import io.sirocco.spark.exec.Preflight;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/** Says where a job runs: a line for each kind of executor on each host. */
final class PreflightReport {
  /** More lines than this nobody reads. */
  private static final int LINES = 40;

  private PreflightReport() {}

  /**
   * Prints it.
   *
   * @param said notes of the driver's own plan, which are not repeated
   */
  static void print(Preflight.Result result, List<String> said, PrintWriter out) {
    Map<String, Integer> executors = new LinkedHashMap<>();
    Map<String, Double> slowest = new LinkedHashMap<>();
    for (HostReport host : result.hosts()) {
      String line = line(host);
      executors.merge(line, 1, Integer::sum);
      slowest.merge(line, host.engine().seconds(), Math::max);
    }
    executors.entrySet().stream()
        .limit(LINES)
        .forEach(
            line ->
                out.printf(
                    Locale.ROOT,
                    "host         %s; opened in %.1fs%s%n",
                    line.getKey(),
                    slowest.get(line.getKey()),
                    line.getValue() == 1 ? "" : "; " + line.getValue() + " executors"));
    if (executors.size() > LINES) {
      out.println("host         and " + (executors.size() - LINES) + " more");
    }
    List<HostReport> prepared =
        result.hosts().stream().filter(host -> host.engine().prepared().bytes() > 0).toList();
    prepared.stream().limit(LINES).forEach(host -> out.println("prepared     " + prepared(host)));
    if (prepared.size() > LINES) {
      out.println("prepared     and on " + (prepared.size() - LINES) + " more");
    }
    result
        .unreached()
        .forEach(
            address ->
                out.println(
                    "note         the executor at "
                        + address
                        + " ran no task in time: it is checked when its first one comes"));
    notes(result.hosts(), said).forEach(note -> out.println("note         " + note));
    result.notes().forEach(note -> out.println("note         " + note));
    out.flush();
  }

  /** Those of the executors' own plans, each once with the hosts that have it. */
  private static List<String> notes(List<HostReport> hosts, List<String> said) {
    Map<String, SortedSet<String>> places = new LinkedHashMap<>();
    for (HostReport host : hosts) {
      for (String note : host.engine().notes()) {
        if (!said.contains(note)) {
          places.computeIfAbsent(note, key -> new TreeSet<>()).add(host.place().host());
        }
      }
    }
    return places.entrySet().stream()
        .map(note -> "on " + HostReport.some(note.getValue()) + ": " + note.getKey())
        .limit(LINES)
        .toList();
  }

  private static String prepared(HostReport host) {
    return String.format(
        Locale.ROOT,
        "%s: weights of %s for %s in %.1fs",
        host.place(),
        ByteCount.shown(host.engine().prepared().bytes()),
        host.engine().precision(),
        host.engine().prepared().seconds());
  }

  private static String line(HostReport host) {
    HostReport.Memory memory = host.memory();
    long limit = Math.min(memory.limit(), memory.machine());
    return String.format(
        Locale.ROOT,
        "%s: %s (%s), %d cores; %s, %s, %s weights, %d threads; native memory at most %s, heap at most %s%s",
        host.place().host(),
        host.processor().model(),
        String.join(" ", host.processor().features()),
        host.processor().cores(),
        host.engine().arithmetic(),
        host.engine().precision(),
        host.engine().weights(),
        host.engine().threads(),
        ByteCount.shown(memory.owned()),
        ByteCount.shown(memory.heapMax()),
        limit == HostReport.UNLIMITED ? "" : " of " + ByteCount.shown(limit));
  }
}
