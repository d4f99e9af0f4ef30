package io.sirocco.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.spark.SparkJars;
import io.sirocco.spark.run.ExitCode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The submit jar, in a JVM of its own that has Spark's jars and nothing of ours. */
class SubmitJarIT {
  private static final Path JAR = Path.of(System.getProperty("sirocco.submit.jar"));

  @TempDir Path folder;

  @Test
  void sparkSubmitRunsTheJarAlone() throws IOException, InterruptedException {
    Path output = folder.resolve("out");

    Ended run =
        submit(
            "--set",
            "output.path=" + output,
            "--set",
            "input.path=sample-data/tickets-dirty.jsonl");

    assertThat(run.exitCode()).as(run.text()).isEqualTo(ExitCode.DONE);
    assertThat(run.text()).contains("40 rows: 36 ok, 4 failed");
    assertThat(run.text()).as("natives of the jar").doesNotContain("kernels are plain Java");
    assertThat(output.resolve("_SUCCESS")).exists();
    assertThat(Files.readString(output.resolve("_sirocco/run.json"))).contains("\"too-long\" : 1");
  }

  @Test
  void exitCodesReachTheShell() throws IOException, InterruptedException {
    Ended run = submit("--set", "model.path=no/such/model", "--set", "output.path=" + folder);

    assertThat(run.exitCode()).as(run.text()).isEqualTo(ExitCode.MODEL);
    assertThat(run.text()).contains("no/such/model");
  }

  @Test
  void theJarHoldsWhatItMustAndNothingOfSpark() throws IOException {
    try (JarFile jar = new JarFile(JAR.toFile())) {
      List<String> entries = new ArrayList<>();
      for (Enumeration<JarEntry> all = jar.entries(); all.hasMoreElements(); ) {
        entries.add(all.nextElement().getName());
      }

      assertThat(entries).contains("io/sirocco/spark/job/Main.class");
      for (String cpu : List.of("x86_64", "aarch64|arm64")) {
        Pattern of = Pattern.compile(".*(" + cpu.replace("x86_64", "x86_64|x86-64") + ").*");
        for (String library : List.of("libdnnl", "libtokenizers", "libjnidispatch")) {
          assertThat(entries)
              .as(library + " for " + cpu)
              .anyMatch(entry -> entry.contains(library) && of.matcher(entry).matches());
        }
      }
      assertThat(entries)
          .noneMatch(entry -> entry.startsWith("org/apache/spark"))
          .noneMatch(entry -> entry.startsWith("org/apache/arrow"))
          .noneMatch(entry -> entry.startsWith("com/fasterxml/jackson/"))
          .noneMatch(entry -> entry.startsWith("org/yaml/"))
          .noneMatch(entry -> entry.startsWith("picocli/"))
          .noneMatch(entry -> entry.endsWith(".dll") || entry.endsWith(".dylib"));
    }
  }

  private record Ended(int exitCode, String text) {}

  private static Ended submit(String... settings) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        Arrays.asList(System.getProperty("sirocco.jvm.opens").strip().split("\\s+", -1)));
    command.addAll(List.of("-Xmx1g", "-cp", String.join(File.pathSeparator, SparkJars.all())));
    command.add("org.apache.spark.deploy.SparkSubmit");
    command.addAll(List.of("--master", "local[2]", "--class", Main.class.getName()));
    command.addAll(List.of("--conf", "spark.ui.enabled=false", JAR.toString()));
    command.addAll(List.of("run", "--config", "configs/classify-tickets.yaml"));
    command.addAll(List.of(settings));
    Path log = Files.createTempFile("sirocco-submit", ".log");
    Process process =
        new ProcessBuilder(command)
            .directory(new File(".."))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("ended within minutes").isTrue();
      return new Ended(process.exitValue(), Files.readString(log, StandardCharsets.UTF_8));
    } finally {
      process.destroyForcibly();
      Files.delete(log);
    }
  }
}
