package io.sirocco.spark.store;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@link AcquireMain} in a process of its own. */
record AcquireProcess(Process process) {

  /** On a cache in {@code cache}, with more settings of the form {@code -Dspark...}. */
  static AcquireProcess start(Path cache, List<String> settings, String... arguments)
      throws IOException {
    return new AcquireProcess(
        new ProcessBuilder(command(cache, settings, arguments))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start());
  }

  static List<String> command(Path cache, List<String> settings, String... arguments) {
    return command(cache, settings, AcquireMain.class, arguments);
  }

  static List<String> command(
      Path cache, List<String> settings, Class<?> main, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                "-Dspark.sirocco.cache.dir=" + cache));
    // What this JVM opens for Arrow, the other one has to, too.
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("--add-opens"))
        .forEach(command::add);
    command.addAll(settings);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return command;
  }

  /** What it printed until its end. */
  List<String> lines() throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
        .lines()
        .toList();
  }

  /** As {@code kill -9}. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }
}
