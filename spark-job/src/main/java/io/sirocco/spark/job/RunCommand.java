package io.sirocco.spark.job;

import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.config.JobConfigReader;
import io.sirocco.spark.output.FailedRows;
import io.sirocco.spark.run.DryRun;
import io.sirocco.spark.run.JobRun;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs the job that a YAML file describes. */
@Command(
    name = "run",
    description = "Runs the job that a YAML file describes.",
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--config",
      required = true,
      paramLabel = "JOB.YAML",
      description = "The job file.")
  private Path config;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Overrides a key of the job file, such as output.mode=overwrite. Repeatable.")
  private List<String> overrides = List.of();

  @Option(
      names = "--dry-run",
      description =
          "Opens the model, checks the columns, tokenizes a sample and prints the plan; computes and"
              + " writes nothing.")
  private boolean dryRun;

  @Option(
      names = "--retry-failed",
      description =
          "With output.mode: resume, computes again the rows that failed in earlier runs.")
  private boolean retryFailed;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    try {
      JobConfig job = JobConfigReader.read(config, overrides);
      return dryRun ? DryRun.of(job, out).run() : JobRun.of(job, failed(), out, err).run();
    } finally {
      out.flush();
      err.flush();
    }
  }

  private FailedRows failed() {
    return retryFailed ? FailedRows.RETRY : FailedRows.KEEP;
  }
}
