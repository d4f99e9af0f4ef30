package io.sirocco.spark.run;

import io.sirocco.checkpoint.ByteCount;
import io.sirocco.engine.EnginePlan;
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
   * @param planned what the driver has said already
   */
  static void print(Preflight.Result result, EnginePlan planned, PrintWriter out) {
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
    List<String> others = othersNotes(result.hosts(), planned);
    others.stream().limit(LINES).forEach(note -> out.println("note         " + note));
    if (others.size() > LINES) {
      out.println("note         and " + (others.size() - LINES) + " more of executors");
    }
    result.notes().forEach(note -> out.println("note         " + note));
    out.flush();
  }

  /**
   * Of executors that compute otherwise than planned: why, each once with the hosts that say it.
   */
  private static List<String> othersNotes(List<HostReport> hosts, EnginePlan planned) {
    Map<String, SortedSet<String>> places = new LinkedHashMap<>();
    hosts.stream()
        .filter(host -> !computes(host.engine(), planned))
        .forEach(
            host ->
                host.engine().notes().stream()
                    .filter(note -> !planned.notes().contains(note))
                    .forEach(
                        note ->
                            places
                                .computeIfAbsent(note, key -> new TreeSet<>())
                                .add(host.place().host())));
    return places.entrySet().stream()
        .map(note -> "on " + HostReport.some(note.getValue()) + ": " + note.getKey())
        .toList();
  }

  private static boolean computes(HostReport.Model engine, EnginePlan planned) {
    return engine.weights().equalsIgnoreCase(planned.weights().name())
        && engine.precision().equalsIgnoreCase(planned.precision().name());
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
