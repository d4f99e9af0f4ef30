package io.sirocco.spark.job;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.sampling.InvalidSettingException;
import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.config.GenerateSection;
import io.sirocco.spark.run.ExitCode;
import io.sirocco.spark.run.ResumableException;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The command line: {@code run} a job, {@code report} on its results, {@code inspect} or {@code
 * convert} a model, {@code bench} this machine, look at the {@code quality} of a precision.
 */
@Command(
    name = "sirocco",
    description = "Mistral models over Apache Spark DataFrames, on CPUs.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionLine.class,
    subcommands = {
      RunCommand.class,
      ReportCommand.class,
      InspectCommand.class,
      ConvertCommand.class,
      BenchCommand.class,
      QualityCommand.class
    },
    synopsisSubcommandLabel = "(run | report | inspect | convert | bench | quality)",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:done",
      "1:unexpected failure",
      "2:usage or configuration",
      "3:model or preflight",
      "4:too many failed rows",
      "5:failed, but what is done is kept; the same command goes on"
    })
public final class Main {

  /** Runs a command and ends the JVM with its exit code. */
  public static void main(String[] arguments) {
    PrintWriter out = new PrintWriter(System.out, true, Charset.defaultCharset());
    PrintWriter err = new PrintWriter(System.err, true, Charset.defaultCharset());
    System.exit(execute(out, err, arguments));
  }

  /** Runs a command; see {@link ExitCode} for what it returns. */
  static int execute(PrintWriter out, PrintWriter err, String... arguments) {
    return new CommandLine(new Main())
        .setOut(out)
        .setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(
            (problem, command, parsed) -> exitCode(problem, command.getErr()))
        .execute(arguments);
  }

  /** Says what went wrong: in a line, where somebody can mend it. */
  private static int exitCode(Exception problem, PrintWriter err) {
    try {
      if (problem instanceof ConfigException) {
        err.println("configuration: " + problem.getMessage());
        return ExitCode.CONFIGURATION;
      }
      if (problem instanceof ModelException
          && problem.getCause() instanceof InvalidSettingException setting
          && problem.getMessage().startsWith(GenerateSection.NAME + ":")) {
        err.println("configuration: " + GenerateSection.problem(setting).getMessage());
        return ExitCode.CONFIGURATION;
      }
      if (problem instanceof ModelException) {
        err.println("model: " + problem.getMessage());
        return ExitCode.MODEL;
      }
      if (problem instanceof ResumableException) {
        problem.getCause().printStackTrace(err);
        err.println("resumable: " + problem.getMessage());
        return ExitCode.RESUMABLE;
      }
      err.println("unexpected failure: " + problem);
      problem.printStackTrace(err);
      return ExitCode.UNEXPECTED;
    } finally {
      err.flush();
    }
  }

  Main() {}
}
