package io.sirocco.spark.job;

import io.sirocco.engine.Inspection;
import io.sirocco.spark.config.ConfigException;
import io.sirocco.spark.run.ExitCode;
import io.sirocco.spark.store.ModelPath;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what a folder is, and what stands in the way of using it. */
@Command(
    name = "inspect",
    description =
        "Says what a folder, or a release's archive, is: form, sizes, types, tokenizer, memory, and"
            + " every problem found. Computes nothing. Ends with 3 if there are problems.",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "PATH", description = "A folder, or a tar archive, of this machine.")
  private String path;

  @Option(names = "--json", description = "Prints an object of JSON instead of lines for people.")
  private boolean json;

  @Override
  public Integer call() {
    if (ModelPath.isRemote(path)) {
      throw new ConfigException("PATH", path, "a path of this machine");
    }
    PrintWriter out = spec.commandLine().getOut();
    Inspection inspection = Inspection.of(Path.of(path));
    if (json) {
      out.println(InspectionReport.json(inspection).toPrettyString());
    } else {
      InspectionReport.print(inspection, out);
    }
    out.flush();
    return inspection.problems().isEmpty() ? ExitCode.DONE : ExitCode.MODEL;
  }
}
