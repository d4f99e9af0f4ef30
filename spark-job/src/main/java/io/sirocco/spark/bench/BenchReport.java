package io.sirocco.spark.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.bench.BatchingBench;
import io.sirocco.bench.BenchResult;
import io.sirocco.bench.LengthBench;
import io.sirocco.bench.Profile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A benchmark's results: a line of JSON each, as soon as it is there, and tables for people at the
 * end.
 */
public final class BenchReport {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Optional<Path> json;
  private final List<String> lines = new ArrayList<>();
  private final List<BenchResult> speeds = new ArrayList<>();
  private final List<BatchingBench.Result> batchings = new ArrayList<>();
  private final List<LengthBench.Result> lengths = new ArrayList<>();
  private final List<Profile> profiles = new ArrayList<>();

  /** Lines go to that file, whose former content is lost. */
  public BenchReport(Optional<Path> json) {
    this.json = json;
  }

  void add(BenchResult result) {
    speeds.add(result);
    write(JSON.valueToTree(result));
  }

  void add(BatchingBench.Result result) {
    batchings.add(result);
    write(JSON.valueToTree(result));
  }

  void add(LengthBench.Result result) {
    lengths.add(result);
    ObjectNode line = JSON.createObjectNode();
    line.put("test", result.test()).put("geometry", result.geometry());
    line.put("layers", result.layers()).put("precision", result.precision());
    line.put("length", result.length());
    line.put("seconds", result.blocks().seconds()).put("bytes", result.blocks().bytes());
    result
        .plain()
        .ifPresent(
            plain -> {
              line.put("plain_seconds", plain.seconds()).put("plain_bytes", plain.bytes());
            });
    if (result.plain().isEmpty()) {
      line.put("plain_stopped", result.without());
    }
    write(line);
  }

  void add(Profile profile) {
    profiles.add(profile);
  }

  /** The lengths measured so far. */
  List<LengthBench.Result> lengths() {
    return List.copyOf(lengths);
  }

  private void write(ObjectNode line) {
    lines.add(line.toString());
    if (json.isPresent()) {
      try {
        Files.write(json.get(), lines);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  public void print(PrintWriter out) {
    printSpeeds(out);
    for (BatchingBench.Result result : batchings) {
      out.printf(
          Locale.ROOT,
          "%-16s %-9s %5d %10.1f tokens/s in static batches, %.1f in a continuous one: %.2f times%n",
          result.test(),
          result.precision(),
          result.batch(),
          result.staticRate(),
          result.continuousRate(),
          result.gain());
    }
    printLengths(out);
    profiles.forEach(profile -> print(profile, out));
    out.flush();
  }

  private void printSpeeds(PrintWriter out) {
    if (speeds.isEmpty()) {
      return;
    }
    out.printf(
        "%-16s %-9s %5s %10s %9s %8s %9s %8s %9s %7s%n",
        "test",
        "precision",
        "batch",
        "tokens/s",
        "GFLOP/s",
        "GB/s",
        "peak",
        "GB/s",
        "fraction",
        "spread");
    for (BenchResult result : speeds) {
      out.printf(
          Locale.ROOT,
          "%-16s %-9s %5d %10.1f %9.1f %8.2f %9.1f %8.1f %9.3f %6.0f%%%n",
          result.test(),
          result.precision(),
          result.batch(),
          result.tokensPerSecond(),
          result.gflops(),
          result.gigabytesPerSecond(),
          result.peakGflops(),
          result.peakGigabytesPerSecond(),
          result.fractionOfPeak(),
          100 * result.spread());
      result
          .details()
          .forEach((name, value) -> out.printf(Locale.ROOT, "  %-28s %,14.2f%n", name, value));
    }
  }

  private void printLengths(PrintWriter out) {
    if (!lengths.isEmpty()) {
      out.printf(
          "%-16s %-9s %10s %9s %14s %9s%n",
          "test", "precision", "seconds", "MiB", "plain: seconds", "MiB");
    }
    for (LengthBench.Result result : lengths) {
      out.printf(
          Locale.ROOT,
          "%-16s %-9s %10.2f %9.0f %s%n",
          result.test(),
          result.precision(),
          result.blocks().seconds(),
          mebibytes(result.blocks()),
          result
              .plain()
              .map(
                  plain ->
                      String.format(Locale.ROOT, "%14.2f %9.0f", plain.seconds(), mebibytes(plain)))
              .orElse(result.without()));
    }
  }

  private static double mebibytes(LengthBench.Pass pass) {
    return pass.bytes() / (double) (1 << 20);
  }

  private static void print(Profile profile, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%n%s: %.2f s, bare product %.1f GFLOP/s%n%-40s %8s %9s %6s %9s %6s%n",
        profile.test(),
        profile.seconds(),
        profile.peakFlops() * 1e-9,
        "operation",
        "calls",
        "seconds",
        "share",
        "GFLOP/s",
        "lost");
    for (Profile.Line line : profile.lines()) {
      out.printf(
          Locale.ROOT,
          "%-40s %8d %9.3f %5.1f%% %9.1f %5.1f%%%n",
          line.operation(),
          line.calls(),
          line.seconds(),
          100 * profile.share(line),
          line.flop() / line.seconds() * 1e-9,
          100 * profile.lost(line));
    }
  }
}
