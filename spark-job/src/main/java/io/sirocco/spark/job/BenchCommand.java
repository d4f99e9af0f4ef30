package io.sirocco.spark.job;

import io.sirocco.bench.BenchTest;
import io.sirocco.bench.Geometry;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.spark.bench.BenchCheckpoint;
import io.sirocco.spark.bench.BenchLengths;
import io.sirocco.spark.bench.BenchReport;
import io.sirocco.spark.bench.BenchRun;
import io.sirocco.spark.bench.BenchSetting;
import io.sirocco.spark.run.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures a model's speed on this machine, next to the machine's own peaks. */
@Command(
    name = "bench",
    description = "Measures a model's speed on this machine, next to the machine's own peaks.",
    mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
  private static final String DEFAULT_TEST = "pp512";

  @Spec private CommandSpec spec;

  @Option(
      names = "--geometry",
      description =
          "Sizes of the synthetic checkpoint: mistral-7b (default), mistral-nemo or tiny.")
  private Optional<String> geometry;

  @Option(
      names = "--layers",
      description = "Its decoder layers (default 4; 436 MB each for mistral-7b).")
  private Optional<Integer> layers;

  @Option(
      names = "--checkpoint",
      description =
          "Takes the model that is in this folder, or keeps the synthetic one there (default: a"
              + " temporary folder, deleted afterwards).")
  private Optional<Path> checkpoint;

  @Option(
      names = "--precision",
      split = ",",
      defaultValue = "auto",
      description = "One or several with commas: ${COMPLETION-CANDIDATES}.")
  private List<PrecisionChoice> precisions;

  @Option(names = "--kernels", defaultValue = "auto", description = "auto, onednn or java.")
  private KernelChoice kernels;

  @Option(
      names = "--tests",
      split = ",",
      description =
          "ppN: one prompt of N tokens; tgN, tgN@dD: N new tokens of rows that are D tokens long;"
              + " ppN+tgM, ppN+tgM@shared: a prompt, and new tokens, of each row, or one prompt of"
              + " all; classify: rows of skewed lengths; job: the same as a Spark job; batching:"
              + " continuous against static batches (default: pp512, or none with --picture).")
  private List<String> tests = List.of();

  @Option(
      names = "--batch",
      split = ",",
      defaultValue = "1",
      description = "Rows of tg, pp+tg and batching, one or several (default ${DEFAULT-VALUE}).")
  private List<Integer> batches;

  @Option(
      names = "--rows",
      defaultValue = "64",
      description = "Rows of classify and job, 125 tokens on average (default ${DEFAULT-VALUE}).")
  private int rows;

  @Option(
      names = "--job-copies",
      split = ",",
      defaultValue = "1",
      description = "How often job reads them, one or several (default ${DEFAULT-VALUE}).")
  private List<Integer> copies;

  @Option(names = "--threads", description = "Threads that compute (default: all cores).")
  private Optional<Integer> threads;

  @Option(names = "--repetitions", defaultValue = "5", description = "Default ${DEFAULT-VALUE}.")
  private int repetitions;

  @Option(
      names = "--profile",
      description = "Prints where the time goes, by operation; not of job.")
  private boolean profile;

  @Option(names = "--json", description = "Writes a line of JSON per result to this file.")
  private Optional<Path> json;

  @Option(
      names = "--picture",
      description =
          "Draws time and memory of a pass against the row's length, beside plain attention's, into"
              + " this SVG; in the first precision.")
  private Optional<Path> picture;

  @Option(
      names = "--lengths",
      split = ",",
      defaultValue = "512,1024,2048,4096,8192,16384",
      description = "Rows of the picture, in tokens (default ${DEFAULT-VALUE}).")
  private List<Integer> lengths;

  @Option(
      names = "--plain-seconds",
      defaultValue = "300",
      description =
          "Plain attention that would take longer than this is left out (default"
              + " ${DEFAULT-VALUE}).")
  private double plainSeconds;

  @Override
  public Integer call() throws Exception {
    List<String> names = tests.isEmpty() && picture.isEmpty() ? List.of(DEFAULT_TEST) : tests;
    List<BenchTest> wanted = names.stream().map(this::test).toList();
    Optional<Geometry> sizes = geometry.map(this::geometry);
    requirePositive();
    json.ifPresent(file -> requireWritable("--json", file));
    picture.ifPresent(file -> requireWritable("--picture", file));
    BenchCheckpoint model =
        BenchCheckpoint.of(new BenchCheckpoint.Wanted(checkpoint, sizes, layers), this::progress);
    BenchReport report = new BenchReport(json);
    BenchRun.Profiling profiling = profile ? BenchRun.Profiling.ON : BenchRun.Profiling.OFF;
    BenchRun run = new BenchRun(model, profiling, report, this::progress);
    for (PrecisionChoice precision : precisions) {
      run.run(wanted, setting(precision));
    }
    if (picture.isPresent()) {
      new BenchLengths(model, report, this::progress)
          .draw(picture.get(), lengths, setting(precisions.get(0)), plainSeconds);
    }
    report.print(spec.commandLine().getOut());
    return ExitCode.DONE;
  }

  private BenchSetting setting(PrecisionChoice precision) {
    int team = threads.orElse(Runtime.getRuntime().availableProcessors());
    return new BenchSetting(
        kernels, precision, team, new BenchSetting.Sizes(batches, repetitions, rows, copies));
  }

  private void progress(String line) {
    spec.commandLine().getErr().println(line);
    spec.commandLine().getErr().flush();
  }

  private BenchTest test(String name) {
    return BenchTest.named(name)
        .orElseThrow(() -> wrong("unknown test " + name + "; expected " + BenchTest.NAMES));
  }

  private Geometry geometry(String name) {
    return Geometry.named(name).orElseThrow(() -> wrong("unknown geometry " + name));
  }

  private void requirePositive() {
    int least =
        Stream.of(
                batches.stream(),
                copies.stream(),
                lengths.stream(),
                Stream.of(repetitions, rows, threads.orElse(1), layers.orElse(1)))
            .flatMap(numbers -> numbers)
            .mapToInt(Integer::intValue)
            .min()
            .orElse(0);
    if (least < 1) {
      throw wrong(
          "--batch, --job-copies, --lengths, --repetitions, --rows, --threads and --layers must be"
              + " at least 1");
    }
  }

  /** Before anything is measured, which takes minutes. */
  private void requireWritable(String option, Path file) {
    try {
      Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND).close();
    } catch (IOException e) {
      throw wrong(option + " " + file + " cannot be written: " + e);
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
