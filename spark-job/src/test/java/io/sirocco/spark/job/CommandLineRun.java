package io.sirocco.spark.job;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;

/** What a command printed, and how it ended. */
record CommandLineRun(int exitCode, String out, String err) {

  static CommandLineRun of(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode = Main.execute(new PrintWriter(out), new PrintWriter(err), arguments);
    return new CommandLineRun(exitCode, out.toString(), err.toString());
  }

  /** {@code run --config file --set ... --set ...}. */
  static CommandLineRun job(String file, List<String> settings, String... more) {
    List<String> arguments = new ArrayList<>(List.of("run", "--config", file));
    settings.forEach(setting -> arguments.addAll(List.of("--set", setting)));
    arguments.addAll(List.of(more));
    return of(arguments.toArray(new String[0]));
  }
}
