package io.sirocco.spark.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.bench.BatchingBench;
import io.sirocco.bench.BenchResult;
import io.sirocco.bench.Geometry;
import io.sirocco.bench.SyntheticCheckpoint;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.PrecisionChoice;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures prompt processing on this machine, next to the machine's own peak. */
@Command(
    name = "bench",
    description = "Measures a model's speed on this machine, next to the machine's own peak.",
    mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--geometry",
      defaultValue = "mistral-7b",
      description = "Sizes of the synthetic checkpoint: mistral-7b, mistral-nemo or tiny.")
  private String geometry;

  @Option(
      names = "--layers",
      defaultValue = "4",
      description = "Its decoder layers (default ${DEFAULT-VALUE}; 436 MB each for mistral-7b).")
  private int layers;

  @Option(
      names = "--precision",
      split = ",",
      defaultValue = "auto",
      description = "auto, float32, bfloat16, or several with commas.")
  private List<PrecisionChoice> precisions;

  @Option(names = "--kernels", defaultValue = "auto", description = "auto, onednn or java.")
  private KernelChoice kernels;

  @Option(
      names = "--tests",
      split = ",",
      defaultValue = "pp512",
      description =
          "ppN: one prompt of N tokens; tgN@dD: N new tokens of rows that are D tokens long;"
              + " batching: continuous against static batches (default ${DEFAULT-VALUE}).")
  private List<String> tests;

  @Option(
      names = "--batch",
      split = ",",
      defaultValue = "1",
      description = "Rows of tg and batching, one or several (default ${DEFAULT-VALUE}).")
  private List<Integer> batches;

  @Option(names = "--threads", description = "Threads that compute (default: all cores).")
  private Optional<Integer> threads;

  @Option(names = "--repetitions", defaultValue = "5", description = "Default ${DEFAULT-VALUE}.")
  private int repetitions;

  @Option(names = "--json", description = "Writes a line of JSON per result to this file.")
  private Optional<Path> json;

  @Option(
      names = "--checkpoint",
      description =
          "Keeps the synthetic checkpoint in this folder, and takes the one that is there (default:"
              + " a temporary folder, deleted afterwards).")
  private Optional<Path> checkpoint;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Geometry sizes =
        Geometry.named(geometry).orElseThrow(() -> wrong("unknown geometry " + geometry));
    tests.forEach(this::requireKnown);
    boolean positive = batches.stream().allMatch(batch -> batch > 0);
    if (layers < 1 || repetitions < 1 || threads.orElse(1) < 1 || !positive) {
      throw wrong("--layers, --repetitions, --threads and --batch must be at least 1");
    }
    json.ifPresent(this::requireWritable);
    if (checkpoint.isPresent()) {
      return measure(checkpoint.get(), sizes);
    }
    Path folder = Files.createTempDirectory("sirocco-bench");
    // SIGINT and SIGTERM run hooks, not finally blocks.
    Thread atExit = new Thread(() -> delete(folder), "delete-checkpoint");
    Runtime.getRuntime().addShutdownHook(atExit);
    return measure(folder, sizes);
  }

  private int measure(Path folder, Geometry sizes) throws IOException, InterruptedException {
    if (!Files.exists(folder.resolve("config.json"))) {
      spec.commandLine().getErr().printf("writing %d layers of %s%n", layers, sizes.label());
      SyntheticCheckpoint.write(folder, sizes, layers);
    }
    requireSizes(folder, sizes);
    BenchRun run = new BenchRun(folder, sizes.label(), this::progress);
    List<BenchResult> results = new ArrayList<>();
    List<BatchingBench.Result> batchings = new ArrayList<>();
    int team = threads.orElse(Runtime.getRuntime().availableProcessors());
    for (PrecisionChoice precision : precisions) {
      BenchRun.Setting setting =
          new BenchRun.Setting(kernels, precision, team, batches, repetitions);
      results.addAll(run.speed(tests, setting));
      batchings.addAll(run.batching(tests, setting));
    }
    report(results, batchings);
    return ExitCode.DONE;
  }

  private void progress(String line) {
    spec.commandLine().getErr().println(line);
  }

  /** Results are labelled with what was asked for, so the folder must hold that. */
  private void requireSizes(Path folder, Geometry sizes) throws IOException {
    JsonNode config = new ObjectMapper().readTree(folder.resolve("config.json").toFile());
    int hidden = config.path("hidden_size").asInt();
    int found = config.path("num_hidden_layers").asInt();
    if (hidden != sizes.hidden() || found != layers) {
      throw wrong(
          "%s holds %d layers of hidden_size %d; --geometry %s --layers %d means %d of %d"
              .formatted(folder, found, hidden, sizes.label(), layers, layers, sizes.hidden()));
    }
  }

  private void report(List<BenchResult> results, List<BatchingBench.Result> batchings)
      throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (!results.isEmpty()) {
      out.printf(
          "%-12s %-9s %5s %10s %9s %8s %9s %9s %7s%n",
          "test",
          "precision",
          "batch",
          "tokens/s",
          "GFLOP/s",
          "GB/s",
          "peak",
          "fraction",
          "spread");
    }
    for (BenchResult result : results) {
      out.printf(
          Locale.ROOT,
          "%-12s %-9s %5d %10.1f %9.1f %8.2f %9.1f %9.3f %6.0f%%%n",
          result.test(),
          result.precision(),
          result.batch(),
          result.tokensPerSecond(),
          result.gflops(),
          result.gigabytesPerSecond(),
          result.peakGflops(),
          result.fractionOfPeak(),
          100 * result.spread());
    }
    for (BatchingBench.Result result : batchings) {
      out.printf(
          Locale.ROOT,
          "%-12s %-9s %5d %10.1f tokens/s in static batches, %.1f in a continuous one: %.2f times%n",
          result.test(),
          result.precision(),
          result.batch(),
          result.staticRate(),
          result.continuousRate(),
          result.gain());
    }
    out.flush();
    if (json.isPresent()) {
      ObjectMapper mapper = new ObjectMapper();
      List<String> lines = new ArrayList<>();
      for (Object line : Stream.concat(results.stream(), batchings.stream()).toList()) {
        lines.add(mapper.writeValueAsString(line));
      }
      Files.write(json.get(), lines);
    }
  }

  /** Before anything is measured, which takes minutes. */
  private void requireWritable(Path file) {
    try {
      Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND).close();
    } catch (IOException e) {
      throw wrong("--json " + file + " cannot be written: " + e);
    }
  }

  private void requireKnown(String test) {
    if (!BenchRun.knows(test)) {
      throw wrong(
          "unknown test "
              + test
              + "; expected ppN such as pp512, tgN@dD such as tg32@d128, batching");
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException | UncheckedIOException e) {
      progress("delete " + folder + " by hand: " + e);
    }
  }
}
