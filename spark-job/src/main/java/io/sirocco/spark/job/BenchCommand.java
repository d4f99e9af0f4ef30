package io.sirocco.spark.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.bench.BenchResult;
import io.sirocco.bench.Geometry;
import io.sirocco.bench.PrefillBench;
import io.sirocco.bench.SyntheticCheckpoint;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.KernelSetup;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.kernel.Kernels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
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
  private static final Pattern PROMPT = Pattern.compile("pp([1-9][0-9]{0,5})");

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
      description = "ppN: one prompt of N tokens (default ${DEFAULT-VALUE}).")
  private List<String> tests;

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
  public Integer call() throws IOException {
    Geometry sizes =
        Geometry.named(geometry).orElseThrow(() -> wrong("unknown geometry " + geometry));
    List<Integer> prompts = tests.stream().map(this::promptTokens).toList();
    if (layers < 1 || repetitions < 1 || threads.orElse(1) < 1) {
      throw wrong("--layers, --repetitions and --threads must be at least 1");
    }
    if (checkpoint.isPresent()) {
      return measure(checkpoint.get(), sizes, prompts);
    }
    Path folder = Files.createTempDirectory("sirocco-bench");
    try {
      return measure(folder, sizes, prompts);
    } finally {
      delete(folder);
    }
  }

  private int measure(Path folder, Geometry sizes, List<Integer> prompts) throws IOException {
    if (!Files.exists(folder.resolve("config.json"))) {
      spec.commandLine().getErr().printf("writing %d layers of %s%n", layers, sizes.label());
      SyntheticCheckpoint.write(folder, sizes, layers);
    }
    requireSizes(folder, sizes);
    List<BenchResult> results = new ArrayList<>();
    for (PrecisionChoice precision : precisions) {
      KernelSetup setup = KernelSetup.of(kernels, precision);
      int team = threads.orElse(Runtime.getRuntime().availableProcessors());
      try (BufferAllocator allocator = new RootAllocator();
          Kernels opened = setup.open(team, allocator);
          PrefillBench bench = new PrefillBench(folder, sizes.label(), opened, allocator)) {
        for (int tokens : prompts) {
          results.add(bench.prompt(tokens, repetitions));
          spec.commandLine().getErr().printf("pp%d done%n", tokens);
        }
      }
    }
    report(results);
    return ExitCode.DONE;
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

  private void report(List<BenchResult> results) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    StringBuilder lines = new StringBuilder();
    StringBuilder table =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "%-8s %-9s %5s %10s %9s %8s %9s %9s %7s%n",
                "test",
                "precision",
                "batch",
                "tokens/s",
                "GFLOP/s",
                "GB/s",
                "peak",
                "fraction",
                "spread"));
    for (BenchResult result : results) {
      lines.append(mapper.writeValueAsString(result)).append('\n');
      table.append(
          String.format(
              Locale.ROOT,
              "%-8s %-9s %5d %10.1f %9.1f %8.2f %9.1f %9.3f %6.0f%%%n",
              result.test(),
              result.precision(),
              result.batch(),
              result.tokensPerSecond(),
              result.gflops(),
              result.gigabytesPerSecond(),
              result.peakGflops(),
              result.fractionOfPeak(),
              100 * result.spread()));
    }
    spec.commandLine().getOut().print(table);
    spec.commandLine().getOut().flush();
    if (json.isPresent()) {
      Files.writeString(json.get(), lines, StandardCharsets.UTF_8);
    }
  }

  private int promptTokens(String test) {
    var matcher = PROMPT.matcher(test);
    if (!matcher.matches()) {
      throw wrong("unknown test " + test + "; expected ppN, such as pp512");
    }
    return Integer.parseInt(matcher.group(1));
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
