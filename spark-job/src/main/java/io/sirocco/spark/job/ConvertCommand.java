package io.sirocco.spark.job;

import io.sirocco.checkpoint.ByteCount;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.convert.Conversion;
import io.sirocco.convert.ConversionOptions;
import io.sirocco.convert.ConversionReport;
import io.sirocco.spark.config.ByteSize;
import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.run.ExitCode;
import io.sirocco.spark.run.Progress;
import io.sirocco.spark.run.ResumableException;
import io.sirocco.spark.store.ModelPath;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes a Hugging Face folder of a raw release. */
@Command(
    name = "convert",
    description =
        "Makes a Hugging Face folder of a model as Mistral releases it: params.json and"
            + " consolidated weights, in a folder or in the published tar archive. A run that was"
            + " killed goes on when the same command is run again.",
    mixinStandardHelpOptions = true)
final class ConvertCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--from",
      required = true,
      paramLabel = "RAW",
      description = "The folder, or the tar archive, of the release.")
  private String from;

  @Option(
      names = "--to",
      required = true,
      paramLabel = "HF_FOLDER",
      description = "The folder to make; it appears when it is complete.")
  private String to;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "bfloat16, float16 or float32 (default: each weight keeps its own).")
  private Optional<Dtype> dtype;

  @Option(
      names = "--max-shard-size",
      paramLabel = "SIZE",
      defaultValue = "5GB",
      description = "Most that a file of weights may have (default ${DEFAULT-VALUE}).")
  private String maxShardSize;

  @Option(
      names = "--max-position-embeddings",
      paramLabel = "N",
      description =
          "Longest row that the model is made for, where params.json does not say (default: its"
              + " max_seq_len, or 32768).")
  private Optional<Integer> maxPositions;

  /** The names are those of torch. */
  private enum Dtype {
    BFLOAT16(ElementType.BF16),
    FLOAT16(ElementType.F16),
    FLOAT32(ElementType.F32);

    private final ElementType type;

    Dtype(ElementType type) {
      this.type = type;
    }
  }

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    ConversionOptions options =
        new ConversionOptions(
            local("--from", from),
            local("--to", to),
            dtype.map(chosen -> chosen.type),
            ByteSize.parse("--max-shard-size", maxShardSize),
            positions());
    long start = System.nanoTime();
    try (CopyProgress progress = new CopyProgress(spec.commandLine().getErr())) {
      report(Conversion.run(options, progress), (System.nanoTime() - start) * 1e-9, out);
      return ExitCode.DONE;
    } catch (IOException e) {
      throw new ResumableException(
          to
              + ": cannot be written; what is complete stays beside it, and the same command goes on",
          e);
    } finally {
      out.flush();
    }
  }

  private OptionalInt positions() {
    if (maxPositions.orElse(1) < 1) {
      throw new ConfigException(
          "--max-position-embeddings", maxPositions.get(), "an integer of 1 or more");
    }
    return maxPositions.map(OptionalInt::of).orElse(OptionalInt.empty());
  }

  private static Path local(String key, String path) {
    if (ModelPath.isRemote(path) || ModelPath.isFileUri(path)) {
      throw new ConfigException(key, path, "a path of this machine");
    }
    return Path.of(path);
  }

  private static void report(ConversionReport report, double seconds, PrintWriter out) {
    report.notes().forEach(note -> out.println("note         " + note));
    out.printf(
        Locale.ROOT,
        "converted    %s, %d file%s, %s%s; %s, %,.0f MB/s%n",
        report.folder(),
        report.files(),
        report.files() == 1 ? "" : "s",
        ByteCount.shown(report.bytes()),
        report.resumedBytes() == 0
            ? ""
            : ", of which " + ByteCount.shown(report.resumedBytes()) + " were there",
        Progress.duration(seconds),
        (report.bytes() - report.resumedBytes()) / seconds / 1e6);
  }
}
